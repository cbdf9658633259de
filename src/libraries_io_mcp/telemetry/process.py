"""What the process needs (CPU, memory, threads, files, garbage collections), by the official instrumentation."""

import logging
import threading
from typing import Final

from opentelemetry.metrics import MeterProvider

from libraries_io_mcp.telemetry import semconv

START_AFTER_SECONDS: Final = 2.0
"""Its imports take 0.1 s, which neither the start of the server nor its first answer should wait for."""
_STATES: Final[dict[str, list[str]]] = {"process.cpu.time": ["user", "system"]}

logger: Final = logging.getLogger(__name__)


class ProcessMetrics:
    """Starts measuring a little after the server has started, in a thread of its own."""

    def __init__(self, provider: MeterProvider, *, after_seconds: float = START_AFTER_SECONDS) -> None:
        self._timer = threading.Timer(after_seconds, _start, (provider,))
        self._timer.daemon = True

    def start(self) -> None:
        """Start the waiting."""
        self._timer.start()

    def stop(self) -> None:
        """Do not start any more. What has started ends with its provider."""
        self._timer.cancel()


def _start(provider: MeterProvider) -> None:
    # Imported here for start-up time.
    from opentelemetry.instrumentation.system_metrics import SystemMetricsInstrumentor  # noqa: PLC0415

    names = (metric.name for metric in semconv.FOREIGN_METRICS)
    wanted = {name: _STATES.get(name) for name in names if name.startswith(("process.", "cpython."))}
    # The library keeps one for the whole process, so a second server in it would get nothing but a warning.
    SystemMetricsInstrumentor(config=wanted).instrument(meter_provider=provider)
