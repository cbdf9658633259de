"""The OpenTelemetry SDK, built once: resource, spans, metrics, log records, and their end under one deadline.

Each signal has its ways out (`ways.py`), each way its own queue, thread and counts. Exporters are imported by their own
threads at the first batch, so the start of the server and its first answer never wait for them.
"""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opentelemetry._logs import LoggerProvider as LoggerProviderAPI
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider as MeterProviderAPI
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, MetricsData, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind
from opentelemetry.trace import TracerProvider as TracerProviderAPI

from libraries_io_mcp import __version__
from libraries_io_mcp.settings import Settings, queue_size
from libraries_io_mcp.telemetry import request_context, semconv
from libraries_io_mcp.telemetry.deliveries import Counts, Delivery
from libraries_io_mcp.telemetry.exporters import Exporters
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.logs.building import build_logging
from libraries_io_mcp.telemetry.logs.lines import json_line
from libraries_io_mcp.telemetry.logs.process import Logging
from libraries_io_mcp.telemetry.logs.tail import LogTail
from libraries_io_mcp.telemetry.observe import Observer
from libraries_io_mcp.telemetry.recent_traces import RecentTraces
from libraries_io_mcp.telemetry.redacting import clean_metrics
from libraries_io_mcp.telemetry.redaction import Redactor
from libraries_io_mcp.telemetry.request_context import Callers
from libraries_io_mcp.telemetry.shutdown import End, finish_within
from libraries_io_mcp.telemetry.slow import WatchingInstruments
from libraries_io_mcp.telemetry.views import views
from libraries_io_mcp.telemetry.ways import LogQueue, LogWay, MetricWay, SpanQueue, SpanWay

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SHUTDOWN_SECONDS: Final = 0.8
"""An MCP client waits two seconds between closing stdin and SIGTERM; with this the process is gone well before."""
LAST_LINES_SECONDS: Final = 0.1

logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The providers of one process, what hangs on them, and how they end."""

    tracer_provider: TracerProviderAPI
    meter_provider: MeterProviderAPI
    logger_provider: LoggerProviderAPI
    instruments: Instruments
    observer: Observer
    callers: Callers
    redactor: Redactor
    registry: "CollectorRegistry | None"
    instance_id: str
    """`service.instance.id` of all that leaves."""
    recent_traces: RecentTraces | None
    """`None` on stdio and when telemetry is switched off."""
    log_tail: LogTail | None
    """`None` on stdio."""
    counts: tuple[Counts, ...] = field(repr=False)
    ways: tuple[SpanWay | MetricWay | LogWay, ...] = field(repr=False)
    ends: tuple[End, ...] = field(repr=False)
    logging: Logging = field(repr=False)

    def deliveries(self) -> tuple[Delivery, ...]:
        """What each way out has done for each signal until now. Cheap; safe from any thread."""
        return tuple(each.snapshot() for each in self.counts)

    def shutdown(self, seconds: float = SHUTDOWN_SECONDS, *, also: Sequence[End] = ()) -> tuple[str, ...]:
        """Flush and end all ways out, and `also` what is handed in, at the same time, for at most `seconds`.

        Then the lines.

        Returns the names of what was not done by then and is lost.
        """
        # First what is caught goes to the SDK, or the last records would come after its queues have closed.
        self.logging.end_otlp()
        ends = (*also, *self.ends)
        unfinished = finish_within(seconds, ends, preparing=lambda: any(way.preparing for way in self.ways))
        for delivery in self.deliveries():
            _say_losses(delivery)
        if unfinished:
            logger.warning("not done within %.1f s of the end: %s", seconds, ", ".join(unfinished))
        stop = finish_within(LAST_LINES_SECONDS, (("log lines", self.logging.stop_catching),))
        return unfinished + stop + finish_within(LAST_LINES_SECONDS, self.logging.ends)


def build_telemetry(settings: Settings, *, serves_http: bool) -> Telemetry:
    """Build the providers and take over logging. `/metrics` needs `serves_http`.

    Raises:
        SettingsError: an exporter is asked for that can't be made.
    """
    exporters = Exporters(settings.telemetry, settings.observation)
    exporters.check()
    secrets = settings.secrets()
    redactor = Redactor(secrets)
    builder = _Builder(exporters, redactor, _resource(redactor))
    prometheus = serves_http and not settings.telemetry.sdk_disabled and settings.telemetry.wants_prometheus
    meters, registry = builder.meters(prometheus=prometheus)
    instruments = WatchingInstruments(
        meters.get_meter(semconv.SCOPE_NAME, __version__), threshold=settings.observation.slow_operation_seconds
    )
    # Losses are counted from now on; nothing is exported before.
    builder.instruments = instruments
    # For the status page, which only HTTP serves.
    recent_traces = (
        RecentTraces(redactor, slow_seconds=settings.observation.slow_operation_seconds)
        if serves_http and not settings.telemetry.sdk_disabled
        else None
    )
    log_tail = LogTail(json_line(redactor)) if serves_http else None
    tracers = builder.tracers(meters, recent_traces)
    loggers = builder.loggers()
    logging_ = build_logging(
        settings.log,
        redactor,
        provider=loggers if builder.logs_leave else None,
        instruments=instruments,
        tail=log_tail,
    )
    for remark in (*settings.remarks, *settings.broken):
        logger.warning("%s", remark)
    observer = Observer(tracers.get_tracer(semconv.SCOPE_NAME, __version__), instruments)
    callers = Callers(settings.log.include_user_id, secrets)
    return Telemetry(
        tracers,
        meters,
        loggers,
        instruments,
        observer,
        callers,
        redactor,
        registry,
        str(builder.resource.attributes["service.instance.id"]),
        recent_traces,
        log_tail,
        tuple(builder.counts),
        tuple(builder.ways),
        tuple(builder.ends),
        logging_,
    )


class _Builder:
    """Builds the providers and remembers every way out: its counts, and how it ends."""

    def __init__(self, exporters: Exporters, redactor: Redactor, resource: Resource) -> None:
        self._exporters = exporters
        self._redactor = redactor
        self.resource = resource
        self.counts: list[Counts] = []
        self.ways: list[SpanWay | MetricWay | LogWay] = []
        self.ends: list[End] = []
        self.instruments: Instruments | None = None
        self.logs_leave = False

    def meters(self, *, prometheus: bool) -> "tuple[MeterProvider, CollectorRegistry | None]":
        """The meter provider with a reader for each way, and the registry of `/metrics`."""
        readers: list[MetricReader] = []
        for way in self._exporters.ways("metrics"):
            exporter = MetricWay(self._exporters.metric_exporter(way), self._redactor, self._count("metrics", way))
            reader = PeriodicExportingMetricReader(exporter)
            self.ways.append(exporter)
            readers.append(reader)
            self.ends.append((f"metrics ({way})", reader.shutdown))
        registry = None
        if prometheus:
            registry, pulled = _prometheus(self._redactor)
            readers.append(pulled)
        return MeterProvider(readers, self.resource, shutdown_on_exit=False, views=views()), registry

    def tracers(self, meters: MeterProvider, recent_traces: RecentTraces | None) -> TracerProvider:
        """The tracer provider with a queue for each way."""
        provider = TracerProvider(resource=self.resource, shutdown_on_exit=False, meter_provider=meters)
        ways = self._exporters.ways("traces")
        if ways or recent_traces:
            provider.add_span_processor(RequestOnSpans())
        if recent_traces:
            provider.add_span_processor(recent_traces)
        for way in ways:
            counts = self._count("traces", way)
            exporter = SpanWay(self._exporters.span_exporter(way), self._redactor, counts)
            spans = SpanQueue(exporter, counts, queue_size("OTEL_BSP"))
            self.ways.append(exporter)
            provider.add_span_processor(spans)
            self.ends.append((f"spans ({way})", spans.shutdown))
        return provider

    def loggers(self) -> LoggerProvider:
        """The logger provider with a queue for each way."""
        provider = LoggerProvider(resource=self.resource, shutdown_on_exit=False)
        for way in self._exporters.ways("logs"):
            counts = self._count("logs", way)
            exporter = LogWay(self._exporters.log_exporter(way), self._redactor, counts)
            records = LogQueue(exporter, counts, queue_size("OTEL_BLRP"), self._log_dropped)
            self.ways.append(exporter)
            provider.add_log_record_processor(records)
            self.ends.append((f"log records ({way})", records.shutdown))
            self.logs_leave = True
        return provider

    def _count(self, signal: semconv.Signal, way: str) -> Counts:
        counts = Counts(signal, way, on_loss=self._lost)
        self.counts.append(counts)
        return counts

    def _lost(self, signal: semconv.Signal, count: int) -> None:
        if self.instruments is not None:
            self.instruments.telemetry_dropped(signal, count)

    def _log_dropped(self) -> None:
        if self.instruments is not None:
            self.instruments.log_dropped("otlp")


class RequestOnSpans(SpanProcessor):
    """Puts the id of the request, and its caller as far as it may be shown, on every span of that request."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the library's
        """Called in the thread and context that starts the span."""
        request = request_context.current()
        # The SERVER span is started with them.
        if request is not None and span.kind is not SpanKind.SERVER:
            span.set_attributes(request.attributes)


def _say_losses(delivery: Delivery) -> None:
    lost = delivery.waiting + delivery.failed + delivery.dropped
    if lost:
        logger.warning(
            "%s by %s: %d not delivered (%d failed, %d dropped, %d still waiting); last error: %s",
            *(delivery.signal, delivery.way, lost, delivery.failed, delivery.dropped, delivery.waiting),
            delivery.last_error or "none",
        )


def _resource(redactor: Redactor) -> Resource:
    defaults = {
        "service.name": semconv.SERVICE_NAME,
        "service.version": __version__,
        "service.instance.id": str(uuid.uuid4()),
    }
    # The detector reads OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES; merged last, it wins over the defaults.
    found = Resource.create(defaults).merge(OTELResourceDetector().detect())
    return Resource(redactor.attributes(found.attributes), found.schema_url)


def _prometheus(redactor: Redactor) -> "tuple[CollectorRegistry, MetricReader]":
    # Imported here for start-up time: stdio never needs it.
    from opentelemetry.exporter.prometheus import PrometheusMetricReader  # noqa: PLC0415
    from prometheus_client import CollectorRegistry  # noqa: PLC0415

    class RedactingReader(PrometheusMetricReader):
        """Redacts what is scraped as the other ways redact what they send."""

        def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **options: Any) -> None:
            super()._receive_metrics(clean_metrics(redactor, metrics_data), timeout_millis, **options)

    registry = CollectorRegistry()
    return registry, RedactingReader(scope_info_enabled=False, registry=registry)
