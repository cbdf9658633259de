"""One empty export, made as the server would make it, to see whether the other side takes it."""

import logging
import re
import threading
from typing import Any, Final

from opentelemetry.sdk.metrics.export import MetricsData

from libraries_io_mcp.settings import ObservationSettings, TelemetrySettings
from libraries_io_mcp.telemetry.exporters import Exporters
from libraries_io_mcp.telemetry.semconv import Signal

_EXPORTERS: Final = "opentelemetry"
_DETAILS: Final = (r"[Ee]rror details: (.+)", r"Transient error (.+) encountered", r"batch (code: .+)")
"""The part of a complaint that is about the other side: gRPC's, a repeatable one of HTTP, a final one of HTTP."""


def try_otlp(telemetry: TelemetrySettings, signal: Signal, seconds: float) -> BaseException | str | None:
    """Send an empty export of a signal by OTLP; `None` when it was taken, else what the exporter said. Blocks.

    It is not repeated, and `seconds` is the longest that the other side may take. Safe in several threads at once.
    """
    empty = MetricsData(resource_metrics=()) if signal == "metrics" else ()
    words = _Words()
    logger = logging.getLogger(_EXPORTERS)
    logger.addHandler(words)
    try:
        exporter = _make(telemetry, signal, seconds)
        words.on_first = exporter.shutdown
        result = exporter.export(empty)
    finally:
        logger.removeHandler(words)
    if result.name == "SUCCESS":
        return None
    return _short(words.first) if isinstance(words.first, str) else words.first or "it was not taken"


def load_exporter(telemetry: TelemetrySettings, signal: Signal) -> None:
    """Import what the export of a signal needs, which takes a second of a slow machine and stops everything else.

    Raises:
        Exception: whatever the exporter raises when it can't be made.
    """
    _make(telemetry, signal, None).shutdown()


def _make(telemetry: TelemetrySettings, signal: Signal, seconds: float | None) -> Any:
    exporters = Exporters(telemetry, ObservationSettings())
    make = {
        "traces": exporters.span_exporter,
        "metrics": exporters.metric_exporter,
        "logs": exporters.log_exporter,
    }
    return make[signal]("otlp", seconds)()


def _short(words: str) -> str:
    """What the exporter says of the other side, without what it says of itself."""
    found = (re.search(pattern, words) for pattern in _DETAILS)
    return next((match[1] for match in found if match), words)


class _Words(logging.Handler):
    """Keeps the first thing that this thread's exporter complains of, and then stops it from trying again."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.first: BaseException | str | None = None
        self.on_first: Any = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        if threading.get_ident() != self._thread or self.first is not None:
            return
        given = record.args if isinstance(record.args, tuple) else ()
        self.first = next((each for each in given if isinstance(each, BaseException)), None) or record.getMessage()
        if self.on_first is not None:
            self.on_first()
