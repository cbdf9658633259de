"""The receiver takes what the real exporters send over a real socket, and refuses what is no OTLP."""

import gzip
import logging
import threading
from collections.abc import Iterator

import httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode
from opentelemetry.trace import Status as SpanStatus
from tests.support.polling import HANG_SECONDS, poll_until

from libraries_io_mcp.demo.otlp_receiver import NotReceivedError, OtlpReceiver

RESOURCE = Resource({"service.name": "somebody"})
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver(max_body_bytes=100_000) as running:
        yield running


def tracer_provider(receiver: OtlpReceiver, compression: Compression = Compression.NoCompression) -> TracerProvider:
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{receiver.endpoint}/v1/traces", compression=compression)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def test_spans_arrive_with_everything_they_carry(receiver):
    provider = tracer_provider(receiver)
    tracer = provider.get_tracer("somebody.tracing")
    with tracer.start_as_current_span("outer", kind=SpanKind.SERVER) as outer:
        inner = tracer.start_span("inner", attributes={"a": 1, "b": ["x", "y"], "c": True}, start_time=1_000_000_000)
        inner.add_event("retry", {"attempt": 2})
        inner.add_link(outer.get_span_context(), {"why": "test"})
        inner.set_status(SpanStatus(StatusCode.ERROR, "no luck"))
        inner.end(1_250_000_000)
    provider.shutdown()

    got_inner, got_outer = receiver.spans
    assert got_inner.name == "inner"
    assert got_inner.kind == "INTERNAL"
    assert got_inner.seconds == 0.25
    assert got_inner.attributes == {"a": 1, "b": ["x", "y"], "c": True}
    assert [(event.name, event.attributes) for event in got_inner.events] == [("retry", {"attempt": 2})]
    assert [(link.span_id, link.attributes) for link in got_inner.links] == [(got_outer.span_id, {"why": "test"})]
    assert (got_inner.status, got_inner.status_message) == ("ERROR", "no luck")
    assert (got_inner.trace_id, got_inner.parent_id) == (got_outer.trace_id, got_outer.span_id)
    assert (got_outer.kind, got_outer.parent_id, got_outer.status) == ("SERVER", None, "UNSET")
    assert (got_outer.origin.service, got_outer.origin.scope) == ("somebody", "somebody.tracing")


def test_metric_points_arrive_with_buckets_and_exemplars(receiver):
    tracers = TracerProvider(shutdown_on_exit=False)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{receiver.endpoint}/v1/metrics"))
    meters = MeterProvider([reader], RESOURCE, shutdown_on_exit=False)
    meter = meters.get_meter("somebody.metrics")
    histogram = meter.create_histogram("took", "s", explicit_bucket_boundaries_advisory=[0.1, 1.0])
    with tracers.get_tracer("t").start_as_current_span("measured") as span:
        histogram.record(0.5, {"tool": "x"})
    histogram.record(3.0, {"tool": "x"})
    meter.create_counter("hits", "{hit}").add(3)
    meter.create_gauge("level").set(0.5)
    meters.shutdown()

    points = {point.name: point for point in receiver.points}
    took = points["took"]
    assert (took.kind, took.unit, took.attributes) == ("histogram", "s", {"tool": "x"})
    assert (took.count, took.sum, took.min, took.max) == (2, 3.5, 0.5, 3.0)
    assert (took.bounds, took.buckets) == ((0.1, 1.0), (0, 1, 1))
    context = span.get_span_context()
    assert [(exemplar.value, exemplar.trace_id, exemplar.span_id) for exemplar in took.exemplars] == [
        (0.5, format(context.trace_id, "032x"), format(context.span_id, "016x"))
    ]
    assert (points["hits"].kind, points["hits"].value) == ("sum", 3)
    assert (points["level"].kind, points["level"].value) == ("gauge", 0.5)


def test_log_records_arrive_with_the_ids_of_their_span(receiver):
    loggers = LoggerProvider(RESOURCE, shutdown_on_exit=False)
    loggers.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{receiver.endpoint}/v1/logs")))
    logger = logging.Logger("somebody.log")
    logger.addHandler(LoggingHandler(logger_provider=loggers))
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("t")
    with tracer.start_as_current_span("logged") as span:
        logger.warning("it %s", "broke", extra={"otel.event.name": "broke", "part": {"name": "x"}})
    logger.info("alone")
    loggers.shutdown()

    inside, outside = receiver.logs
    context = span.get_span_context()
    assert (inside.body, inside.severity, inside.event_name) == ("it broke", "WARN", "broke")
    assert inside.attributes["part"] == {"name": "x"}
    assert inside.trace_id == format(context.trace_id, "032x")
    assert inside.span_id == format(context.span_id, "016x")
    assert (outside.trace_id, outside.span_id) == (None, None)
    assert outside.time_ns > 0


def test_gzip_is_understood(receiver):
    provider = tracer_provider(receiver, Compression.Gzip)
    provider.get_tracer("t").start_span("small").end()
    provider.shutdown()
    assert [span.name for span in receiver.spans] == ["small"]


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/v1/traces", PROTOBUF, b"\xff\xff not protobuf", 400),
        ("/v1/metrics", PROTOBUF, b"\xff\xff not protobuf", 400),
        ("/v1/logs", PROTOBUF | {"Content-Encoding": "gzip"}, b"not gzip", 400),
        ("/v1/logs", PROTOBUF | {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 5_000, mtime=0)[:30], 400),
        ("/v1/logs", PROTOBUF | {"Content-Encoding": "br"}, b"", 415),
        ("/v1/traces", {"Content-Type": "application/json"}, b"{}", 415),
        ("/v1/traces", PROTOBUF, b"x" * 100_001, 413),
        ("/v1/traces", PROTOBUF | {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 100_001, mtime=0), 413),
        ("/v1/traces", PROTOBUF, iter([b"in chunks"]), 411),
        ("/v1/profiles", PROTOBUF, b"", 404),
    ],
)
def test_what_is_no_otlp_is_refused(receiver, path, headers, body, status):
    reply = httpx.post(receiver.endpoint + path, headers=headers, content=body, timeout=HANG_SECONDS)
    assert reply.status_code == status
    assert Status.FromString(reply.content).message
    assert receiver.spans == receiver.points == receiver.logs == ()


def test_one_connection_carries_many_requests(receiver):
    with httpx.Client(timeout=HANG_SECONDS) as client:
        for _ in range(3):
            body = ExportTraceServiceRequest().SerializeToString()
            reply = client.post(f"{receiver.endpoint}/v1/traces", headers=PROTOBUF, content=body)
            assert reply.headers["content-type"] == "application/x-protobuf"
            ExportTraceServiceResponse.FromString(reply.content)
            assert "connection" not in reply.headers
    assert [request.status for request in receiver.requests] == [200, 200, 200]


def test_it_refuses_and_takes_again_on_command(receiver):
    url = f"{receiver.endpoint}/v1/logs"
    receiver.answer(503)
    assert httpx.post(url, headers=PROTOBUF, timeout=HANG_SECONDS).status_code == 503
    receiver.answer()
    assert httpx.post(url, headers=PROTOBUF, timeout=HANG_SECONDS).status_code == 200
    assert [request.status for request in receiver.requests] == [503, 200]


def test_a_black_hole_accepts_and_never_answers(receiver):
    receiver.hang()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{receiver.endpoint}/v1/logs", headers=PROTOBUF, timeout=httpx.Timeout(HANG_SECONDS, read=0.2))
    receiver.wait_for(lambda store: store.requests, "the request that hangs")
    assert receiver.requests[0].status is None


def test_closing_ends_connections_that_hang(receiver):
    receiver.hang()
    url = f"{receiver.endpoint}/v1/logs"
    outcomes: list[Exception] = []

    def post() -> None:
        try:
            httpx.post(url, headers=PROTOBUF, timeout=2 * HANG_SECONDS)
        except httpx.TransportError as error:
            outcomes.append(error)

    sender = threading.Thread(target=post)
    sender.start()
    receiver.wait_for(lambda store: store.requests, "the request that hangs")
    receiver.close()
    sender.join(HANG_SECONDS)
    (outcome,) = outcomes
    assert not isinstance(outcome, httpx.ReadTimeout)
    poll_until(lambda: "otlp-receiver" not in {thread.name for thread in threading.enumerate()}, "its thread to end")


def test_waiting_says_what_was_waited_for_and_what_had_arrived(receiver):
    provider = tracer_provider(receiver)
    provider.get_tracer("t").start_span("early").end()
    provider.shutdown()
    with pytest.raises(NotReceivedError, match=r"0\.05 s for a late span; arrived: 1 requests with 1 spans \(early\)"):
        receiver.wait_for(
            lambda store: [span for span in store.spans if span.name == "late"], "a late span", seconds=0.05
        )


async def test_waiting_beside_an_event_loop_returns_what_was_found(receiver):
    provider = tracer_provider(receiver)
    threading.Timer(0.05, lambda: provider.get_tracer("t").start_span("late").end()).start()
    spans = await receiver.arrival(lambda store: store.spans, "a span")
    assert spans[0].name == "late"
    provider.shutdown()


def test_an_address_is_only_known_while_it_listens():
    receiver = OtlpReceiver()
    with pytest.raises(RuntimeError):
        _ = receiver.endpoint
    receiver.close()


def test_links_may_come_from_elsewhere(receiver):
    provider = tracer_provider(receiver)
    other = trace.SpanContext(1, 2, is_remote=True)
    provider.get_tracer("t").start_span("linked", links=[Link(other)]).end()
    provider.shutdown()
    assert receiver.spans[0].links[0].trace_id == f"{1:032x}"
