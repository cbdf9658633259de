"""One empty export, made as the server would make it, to see whether the other side takes it."""

from typing import Any

from opentelemetry.sdk.metrics.export import MetricsData

from libraries_io_mcp.settings import ObservationSettings, TelemetrySettings
from libraries_io_mcp.telemetry.complaints import complaints
from libraries_io_mcp.telemetry.exporters import Exporters
from libraries_io_mcp.telemetry.semconv import Signal


def try_otlp(telemetry: TelemetrySettings, signal: Signal, seconds: float) -> str | None:
    """Send an empty export of a signal by OTLP; `None` when it was taken, else what the exporter said. Blocks.

    It is not repeated, and `seconds` is the longest that the other side may take. Safe in several threads at once.
    """
    empty = MetricsData(resource_metrics=()) if signal == "metrics" else ()
    exporter = _make(telemetry, signal, seconds)
    # At the first complaint it is ended, so that it does not try again.
    with complaints(lambda _words: exporter.shutdown()) as heard:
        result = exporter.export(empty)
    return None if result.name == "SUCCESS" else heard.first or "it was not taken"


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
