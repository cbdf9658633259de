"""What OTLP carries, as plain frozen data: spans, metric points and log records out of their protobuf messages.

Ids are lower-case hex, times are nanoseconds since 1970, an id that is not set is `None`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

Attributes = dict[str, Any]
"""Values are str, bool, int, float, bytes, None, or lists and dicts of them."""

_NANOSECONDS: Final = 1_000_000_000
_STATUS: Final = {0: "UNSET", 1: "OK", 2: "ERROR"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made a signal: the resource's attributes, and the instrumentation scope's name."""

    resource: Attributes
    scope: str

    @property
    def service(self) -> str:
        """`service.name` of the resource."""
        return str(self.resource.get("service.name", ""))


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened during a span."""

    name: str
    time_ns: int
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class SpanLink:
    """A span that another span names as related."""

    trace_id: str
    span_id: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Span:
    """One span. `kind` is INTERNAL, SERVER, CLIENT, PRODUCER or CONSUMER; `status` is UNSET, OK or ERROR."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: str
    start_ns: int
    end_ns: int
    attributes: Attributes
    events: tuple[SpanEvent, ...]
    links: tuple[SpanLink, ...]
    status: str
    status_message: str
    origin: Origin

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.end_ns - self.start_ns) / _NANOSECONDS


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One measurement that a metric point shows, and the span it was made in."""

    value: float
    time_ns: int
    trace_id: str | None
    span_id: str | None
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One point of one series. `kind` is gauge, sum, histogram, exponential_histogram or summary.

    `value` is set for gauge and sum; the others have `count` and `sum`, a histogram also `bounds` (upper, inclusive),
    `buckets` (one more than bounds, not cumulative) and perhaps `min` and `max`.
    """

    name: str
    unit: str
    kind: str
    attributes: Attributes
    time_ns: int
    origin: Origin
    value: float | None = None
    count: int = 0
    sum: float = 0.0
    bounds: tuple[float, ...] = ()
    buckets: tuple[int, ...] = ()
    min: float | None = None
    max: float | None = None
    exemplars: tuple[Exemplar, ...] = ()


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log record."""

    time_ns: int
    severity: str
    body: Any
    attributes: Attributes
    trace_id: str | None
    span_id: str | None
    event_name: str
    origin: Origin


def spans_of(request: ExportTraceServiceRequest) -> tuple[Span, ...]:
    """All spans of one export request."""
    return tuple(
        _span(span, Origin(_attributes(group.resource.attributes), scope.scope.name))
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    )


def points_of(request: ExportMetricsServiceRequest) -> tuple[MetricPoint, ...]:
    """All points of one export request."""
    return tuple(
        point
        for group in request.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
        for point in _points(metric, Origin(_attributes(group.resource.attributes), scope.scope.name))
    )


def logs_of(request: ExportLogsServiceRequest) -> tuple[LogRecord, ...]:
    """All log records of one export request."""
    return tuple(
        LogRecord(
            time_ns=record.time_unix_nano or record.observed_time_unix_nano,
            severity=record.severity_text,
            body=_value(record.body),
            attributes=_attributes(record.attributes),
            trace_id=_id(record.trace_id),
            span_id=_id(record.span_id),
            event_name=record.event_name,
            origin=Origin(_attributes(group.resource.attributes), scope.scope.name),
        )
        for group in request.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    )


def _span(span: trace_pb2.Span, origin: Origin) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=_id(span.parent_span_id),
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        events=tuple(
            SpanEvent(event.name, event.time_unix_nano, _attributes(event.attributes)) for event in span.events
        ),
        links=tuple(
            SpanLink(link.trace_id.hex(), link.span_id.hex(), _attributes(link.attributes)) for link in span.links
        ),
        status=_STATUS.get(span.status.code, "UNSET"),
        status_message=span.status.message,
        origin=origin,
    )


def _points(metric: metrics_pb2.Metric, origin: Origin) -> Iterator[MetricPoint]:
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    for point in getattr(metric, kind).data_points:
        yield MetricPoint(
            name=metric.name,
            unit=metric.unit,
            kind=kind,
            attributes=_attributes(point.attributes),
            time_ns=point.time_unix_nano,
            origin=origin,
            **(_number(point) if kind in {"gauge", "sum"} else _distribution(point)),
        )


def _number(point: metrics_pb2.NumberDataPoint) -> dict[str, Any]:
    value = point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
    return {"value": float(value), "exemplars": _exemplars(point.exemplars)}


def _distribution(point: Any) -> dict[str, Any]:
    """What histograms of both kinds and summaries share, and what only some of them have."""
    facts: dict[str, Any] = {"count": point.count, "sum": point.sum}
    if isinstance(point, metrics_pb2.HistogramDataPoint):
        facts |= {"bounds": tuple(point.explicit_bounds), "buckets": tuple(point.bucket_counts)}
    if not isinstance(point, metrics_pb2.SummaryDataPoint):
        facts |= {
            "min": point.min if point.HasField("min") else None,
            "max": point.max if point.HasField("max") else None,
            "exemplars": _exemplars(point.exemplars),
        }
    return facts


def _exemplars(exemplars: Iterable[metrics_pb2.Exemplar]) -> tuple[Exemplar, ...]:
    return tuple(
        Exemplar(
            value=float(exemplar.as_int if exemplar.WhichOneof("value") == "as_int" else exemplar.as_double),
            time_ns=exemplar.time_unix_nano,
            trace_id=_id(exemplar.trace_id),
            span_id=_id(exemplar.span_id),
            attributes=_attributes(exemplar.filtered_attributes),
        )
        for exemplar in exemplars
    )


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind else None


def _id(value: bytes) -> str | None:
    return value.hex() if any(value) else None
