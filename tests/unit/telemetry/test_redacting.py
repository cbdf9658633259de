"""The redactor on the SDK's data: nothing planted survives in any field; clean batches are the same objects."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from libraries_io_mcp.telemetry.redacting import clean_logs, clean_metrics, clean_spans, points_in
from libraries_io_mcp.telemetry.redaction import Redactor

SECRET = "hush-hush-hush"
REDACTOR = Redactor([SECRET])
FIELDS = ("name", "attribute", "list", "event", "event attribute", "link", "status")


def span(**planted: str) -> ReadableSpan:
    """An ended span with a text in the fields that are named."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    text = {name: planted.get(name, "clean") for name in FIELDS}
    link = Link(SpanContext(1, 2, is_remote=True), {"why": text["link"]})
    made = provider.get_tracer("t").start_span(text["name"], links=[link], attributes={"a": text["attribute"]})
    made.set_attribute("list", ["clean", text["list"]])
    made.add_event(text["event"], {"b": text["event attribute"]}, timestamp=5)
    made.set_status(Status(StatusCode.ERROR, text["status"]))
    made.end()
    provider.shutdown()
    return exporter.get_finished_spans()[0]


@given(st.sets(st.sampled_from(FIELDS), min_size=1), st.text(max_size=20))
def test_a_secret_survives_in_no_field_of_a_span(fields: set[str], around: str):
    dirty = span(**dict.fromkeys(fields, f"{around}{SECRET}{around}"))
    (clean,) = clean_spans(REDACTOR, [dirty])
    assert SECRET in dirty.to_json()
    assert SECRET not in clean.to_json()
    assert (clean.context, clean.parent, clean.kind, clean.start_time, clean.end_time) == (
        *(dirty.context, dirty.parent, dirty.kind, dirty.start_time, dirty.end_time),
    )
    assert clean.events[0].timestamp == 5
    assert clean.links[0].context == dirty.links[0].context
    assert clean.status.status_code is StatusCode.ERROR


def test_clean_spans_are_the_same_objects_also_beside_a_dirty_one():
    first, second = span(), span(attribute=SECRET)
    batch = [first]
    assert clean_spans(REDACTOR, batch) is batch
    assert clean_spans(REDACTOR, [first, second])[0] is first


@pytest.mark.parametrize("planted", [SECRET, "a@b.example.org", "https://x/?q=query-of-the-user", "api_key=xyzxyz"])
def test_a_secret_survives_in_no_field_of_a_log_record(planted: str):
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("t")
    attributes: dict[str, Any] = {"a": planted, "list": [planted], "map": {"inner": planted}}
    for body in (planted, "clean"):
        logger.emit(body=body, attributes=attributes if body == planted else {"a": "clean"}, event_name="an.event")
    dirty, fine = exporter.get_finished_logs()
    clean, same = clean_logs(REDACTOR, [dirty, fine])
    assert same is fine
    value = planted.partition("=")[2] or planted
    assert value not in clean.to_json()
    assert (clean.log_record.timestamp, clean.log_record.trace_id) == (dirty.log_record.timestamp, 0)
    assert clean.log_record.event_name == "an.event"
    provider.shutdown()


def test_a_secret_survives_in_no_attribute_of_a_metric():
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    meter = provider.get_meter("t")
    meter.create_histogram("h").record(1, {"a": SECRET})
    meter.create_counter("c").add(1, {"a": "clean"})
    data = reader.get_metrics_data()
    clean = clean_metrics(REDACTOR, data)
    assert SECRET in data.to_json()
    assert SECRET not in clean.to_json()
    assert points_in(clean) == points_in(data) == 2
    assert clean_metrics(Redactor(["another"]), data) is data
    provider.shutdown()
