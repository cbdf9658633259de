"""The redactor applied to the SDK's data. One look at all texts of a batch decides; only a hit costs more.

What is clean comes back as the same object. Ended spans can't be changed, so one with something to hide is rebuilt.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics.export import Metric, MetricsData
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status

from libraries_io_mcp.telemetry.redaction import Redactor

T = TypeVar("T")
_BETWEEN = "\n"


def clean_spans(redactor: Redactor, spans: Sequence[ReadableSpan]) -> Sequence[ReadableSpan]:
    """The spans with names, attributes, events, links and status descriptions redacted."""
    return _each(redactor, spans, _span_texts, _clean_span)


def clean_logs(redactor: Redactor, batch: Sequence[ReadableLogRecord]) -> Sequence[ReadableLogRecord]:
    """The records with bodies and attributes (exceptions among them) redacted."""
    return _each(redactor, batch, _log_texts, _clean_log)


def clean_metrics(redactor: Redactor, data: MetricsData) -> MetricsData:
    """The collection with attributes of points and exemplars redacted."""
    if not redactor.suspicious(_BETWEEN.join(_metric_texts(data))):
        return data
    groups = [
        replace(
            group,
            scope_metrics=[
                replace(scope, metrics=[_clean_metric(redactor, metric) for metric in scope.metrics])
                for scope in group.scope_metrics
            ],
        )
        for group in data.resource_metrics
    ]
    return replace(data, resource_metrics=groups)


def points_in(data: MetricsData) -> int:
    """How many points a collection has."""
    return sum(1 for _ in _points(data))


def _each(redactor: Redactor, batch: Sequence[T], texts: Any, clean: Any) -> Sequence[T]:
    if not redactor.suspicious(_BETWEEN.join(text for item in batch for text in texts(item))):
        return batch
    return [clean(redactor, item) if redactor.suspicious(_BETWEEN.join(texts(item))) else item for item in batch]


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, and every name. A mapping shows as `name=value`, so that names count, too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for item in value:
            yield from _texts(item)


def _span_texts(span: ReadableSpan) -> Iterator[str]:
    yield span.name
    yield from _texts(span.attributes)
    if span.status.description:
        yield span.status.description
    for event in span.events:
        yield event.name
        yield from _texts(event.attributes)
    for link in span.links:
        yield from _texts(link.attributes)


def _clean_span(redactor: Redactor, span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=redactor.text(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=redactor.attributes(span.attributes or {}),
        events=[
            Event(redactor.text(event.name), redactor.attributes(event.attributes or {}), event.timestamp)
            for event in span.events
        ],
        links=[Link(link.context, redactor.attributes(link.attributes or {})) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code, redactor.value(span.status.description)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _log_texts(readable: ReadableLogRecord) -> Iterator[str]:
    record = readable.log_record
    yield from _texts(record.body)
    yield from _texts(record.attributes)
    if record.event_name:
        yield record.event_name


def _clean_log(redactor: Redactor, readable: ReadableLogRecord) -> ReadableLogRecord:
    old = readable.log_record
    new = LogRecord(
        timestamp=old.timestamp,
        observed_timestamp=old.observed_timestamp,
        context=old.context,
        severity_text=old.severity_text,
        severity_number=old.severity_number,
        body=redactor.value(old.body),
        attributes=redactor.attributes(old.attributes or {}),
        event_name=redactor.value(old.event_name),
    )
    # The queue has let go of the context, so the ids are carried over one by one.
    new.trace_id, new.span_id, new.trace_flags = old.trace_id, old.span_id, old.trace_flags
    return replace(readable, log_record=new)


def _points(data: MetricsData) -> Iterator[Any]:
    for group in data.resource_metrics:
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                yield from metric.data.data_points


def _metric_texts(data: MetricsData) -> Iterator[str]:
    for point in _points(data):
        yield from _texts(point.attributes)
        for exemplar in point.exemplars or ():
            yield from _texts(exemplar.filtered_attributes)


def _clean_metric(redactor: Redactor, metric: Metric) -> Metric:
    points = [_clean_point(redactor, point) for point in metric.data.data_points]
    # Each kind of data has points of its own kind, which the signature of `replace` can't say.
    data: Any = metric.data
    return replace(metric, data=replace(data, data_points=points))


def _clean_point(redactor: Redactor, point: Any) -> Any:
    return replace(
        point,
        attributes=redactor.attributes(point.attributes or {}),
        exemplars=[_clean_exemplar(redactor, exemplar) for exemplar in point.exemplars or ()],
    )


def _clean_exemplar(redactor: Redactor, exemplar: Any) -> Any:
    return replace(exemplar, filtered_attributes=redactor.attributes(exemplar.filtered_attributes or {}))
