"""The OpenTelemetry SDK, built once: resource, spans, metrics, log records, and their end under one deadline.

The only importer of the SDK and of exporters. Exporters are imported by their own threads at the first batch, so the
start of the server and its first answer never wait for them.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from opentelemetry._logs import LoggerProvider as LoggerProviderAPI
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.metrics import MeterProvider as MeterProviderAPI
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import TracerProvider as TracerProviderAPI

from libraries_io_mcp import __version__
from libraries_io_mcp.settings import Settings
from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.logs import Logging
from libraries_io_mcp.telemetry.redaction import Redactor

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SHUTDOWN_SECONDS: Final = 0.8
"""An MCP client waits two seconds between closing stdin and SIGTERM; with this the process is gone well before."""
LAST_LINES_SECONDS: Final = 0.1

logger: Final = logging.getLogger(__name__)


class LateSpanExporter(SpanExporter):
    """Makes the real exporter at the first batch, in the thread that exports."""

    def __init__(self, make: Callable[[], SpanExporter]) -> None:
        self._make = make
        self._exporter: SpanExporter | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export one batch."""
        self._exporter = self._exporter or self._make()
        return self._exporter.export(spans)

    def shutdown(self) -> None:
        """End the exporter if there ever was one."""
        if self._exporter is not None:
            self._exporter.shutdown()


class LateLogExporter(LogRecordExporter):
    """Makes the real exporter at the first batch, in the thread that exports."""

    def __init__(self, make: Callable[[], LogRecordExporter]) -> None:
        self._make = make
        self._exporter: LogRecordExporter | None = None

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Export one batch."""
        self._exporter = self._exporter or self._make()
        return self._exporter.export(batch)

    def shutdown(self) -> None:
        """End the exporter if there ever was one."""
        if self._exporter is not None:
            self._exporter.shutdown()  # type: ignore[no-untyped-call]  # the library left it so

    def force_flush(self, timeout_millis: int = 10_000) -> bool:
        """Flush the exporter if there ever was one."""
        return self._exporter is None or self._exporter.force_flush(timeout_millis)


class LateMetricExporter(MetricExporter):
    """Makes the real exporter at the first collection. Cumulative always: the InfluxDB exporter takes nothing else."""

    def __init__(self, make: Callable[[], MetricExporter]) -> None:
        super().__init__()
        self._make = make
        self._exporter: MetricExporter | None = None

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: object) -> MetricExportResult:
        """Export one collection."""
        self._exporter = self._exporter or self._make()
        return self._exporter.export(metrics_data, timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Flush the exporter if there ever was one."""
        return self._exporter is None or self._exporter.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: object) -> None:
        """End the exporter if there ever was one."""
        if self._exporter is not None:
            self._exporter.shutdown(timeout_millis, **kwargs)


class RedactLogs(LogRecordProcessor):
    """Scrubs secrets from a record before the next processor queues it."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Scrub body and attributes in place."""
        record = log_record.log_record
        record.body = self._redactor.value(record.body)  # type: ignore[assignment]
        record.attributes = self._redactor.value(dict(record.attributes or {}))  # type: ignore[assignment]

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - part of the library's signature
        """Nothing is held."""
        return True


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The providers of one process, what hangs on them, and how they end."""

    tracer_provider: TracerProviderAPI
    meter_provider: MeterProviderAPI
    logger_provider: LoggerProviderAPI
    instruments: Instruments
    redactor: Redactor
    registry: "CollectorRegistry | None"
    ends: tuple[tuple[str, Callable[[], None]], ...] = field(repr=False)
    stop_lines: Callable[[], None] = field(repr=False)

    def shutdown(self, seconds: float = SHUTDOWN_SECONDS) -> tuple[str, ...]:
        """Flush and end the signals at the same time, for at most `seconds`, then the lines on stderr.

        Returns the names of what was not done by then and is lost.
        """
        unfinished = finish_within(seconds, self.ends)
        if unfinished:
            logger.warning("telemetry not delivered within %.1f s: %s", seconds, ", ".join(unfinished))
        return unfinished + finish_within(LAST_LINES_SECONDS, (("log lines", self.stop_lines),))


def build_telemetry(settings: Settings, *, serves_http: bool) -> Telemetry:
    """Build the providers and take over logging. `/metrics` needs `serves_http`."""
    redactor = Redactor(settings.secrets())
    resource = _resource()
    registry, readers = None, _otlp_metrics(settings)
    if serves_http and "prometheus" in settings.telemetry.metrics_exporter and not settings.telemetry.sdk_disabled:
        registry, reader = _prometheus()
        readers.append(reader)
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    tracers = _traces(settings, resource, meters)
    loggers, handler = _logs(settings, resource, redactor)
    instruments = Instruments(meters.get_meter(semconv.SCOPE_NAME, __version__))
    logging_ = Logging(
        level=settings.log.level,
        line_format=settings.log.format,
        redactor=redactor,
        otlp=handler,
        on_drop=lambda: instruments.log_dropped("console"),
    )
    ends = (
        ("spans", tracers.shutdown),
        ("metrics", meters.shutdown),
        ("log records", loggers.shutdown),
    )
    return Telemetry(tracers, meters, loggers, instruments, redactor, registry, ends, logging_.stop)


def finish_within(seconds: float, ends: Sequence[tuple[str, Callable[[], None]]]) -> tuple[str, ...]:
    """Call all at the same time in daemon threads, wait at most `seconds`, return the names of those still running."""
    threads = [threading.Thread(target=end, name=name, daemon=True) for name, end in ends]
    for thread in threads:
        thread.start()
    last_moment = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, last_moment - time.monotonic()))
    return tuple(thread.name for thread in threads if thread.is_alive())


def _resource() -> Resource:
    defaults = {
        "service.name": semconv.SERVICE_NAME,
        "service.version": __version__,
        "service.instance.id": str(uuid.uuid4()),
    }
    # The detector reads OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES; merged last, it wins over the defaults.
    return Resource.create(defaults).merge(OTELResourceDetector().detect())


def _traces(settings: Settings, resource: Resource, meters: MeterProvider) -> TracerProvider:
    provider = TracerProvider(resource=resource, shutdown_on_exit=False, meter_provider=meters)
    if settings.telemetry.otlp("traces"):
        provider.add_span_processor(BatchSpanProcessor(LateSpanExporter(_otlp_span_exporter)))
    return provider


def _otlp_metrics(settings: Settings) -> list[MetricReader]:
    if not settings.telemetry.otlp("metrics"):
        return []
    return [PeriodicExportingMetricReader(LateMetricExporter(_otlp_metric_exporter))]


def _logs(settings: Settings, resource: Resource, redactor: Redactor) -> tuple[LoggerProvider, LoggingHandler | None]:
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    if not settings.telemetry.otlp("logs"):
        return provider, None
    provider.add_log_record_processor(RedactLogs(redactor))
    provider.add_log_record_processor(BatchLogRecordProcessor(LateLogExporter(_otlp_log_exporter)))
    return provider, LoggingHandler(logging.NOTSET, logger_provider=provider)


def _prometheus() -> "tuple[CollectorRegistry, MetricReader]":
    # Imported here for start-up time: stdio never needs it.
    from opentelemetry.exporter.prometheus import PrometheusMetricReader  # noqa: PLC0415
    from prometheus_client import CollectorRegistry  # noqa: PLC0415

    registry = CollectorRegistry()
    return registry, PrometheusMetricReader(scope_info_enabled=False, registry=registry)


def _otlp_span_exporter() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - start-up time

    return OTLPSpanExporter()


def _otlp_metric_exporter() -> MetricExporter:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415 - start-up time
        OTLPMetricExporter,
    )

    return OTLPMetricExporter()


def _otlp_log_exporter() -> LogRecordExporter:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415 - start-up time

    return OTLPLogExporter()
