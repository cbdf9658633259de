"""What holds telemetry against its declarations is held against telemetry that is wrong: it must refuse each."""

from dataclasses import replace
from typing import Any, Final

import pytest
from tests.support import truth

from libraries_io_mcp.demo.otlp_model import Exemplar, LogRecord, MetricPoint, Origin, Span, SpanEvent, SpanLink
from libraries_io_mcp.telemetry import semconv

KNOWN: Final = {"get_package_info", "evaluate_package"}
ORIGIN: Final = Origin(dict.fromkeys(truth.RESOURCE, "x"), "libraries_io_mcp")
SERVER: Final[dict[str, Any]] = {
    "mcp.method.name": "tools/call",
    "gen_ai.tool.name": "get_package_info",
    "gen_ai.operation.name": "execute_tool",
    "mcp.protocol.version": "2025-06-18",
    "jsonrpc.request.id": "1",
    "network.transport": "pipe",
    "libraries_io.request.id": "a-1",
}
HTTP: Final = {"network.protocol.name": "http", "network.protocol.version": "1.1", "network.transport": "tcp"}
CLIENT: Final[dict[str, Any]] = {
    "http.request.method": "GET",
    "url.full": "http://127.0.0.1/api/search",
    "url.template": "/search",
    "server.address": "127.0.0.1",
    "server.port": 80,
    "http.response.status_code": 200,
}
ENDPOINT: Final = {"libraries_io.endpoint": "/search"}
TOOL_ERROR: Final = {"error.type": "tool_error", "libraries_io.error.type": "not_found"}


def span(name: str, kind: str, attributes: dict[str, Any], **options: Any) -> Span:
    given = {"events": (), "links": (), "status": "UNSET", "status_message": "", "origin": ORIGIN} | options
    return Span("t" * 32, "s" * 16, None, name, kind, 0, 1, attributes, **given)


def point(metric: semconv.Metric, **attributes: Any) -> MetricPoint:
    plain = {key.replace("__", "."): value for key, value in attributes.items()}
    return MetricPoint(metric.name, metric.unit, truth.KINDS[metric.kind], plain, 0, ORIGIN, 1.0, bounds=metric.buckets)


CALL: Final = span("tools/call get_package_info", "SERVER", SERVER)
ATTEMPT: Final = span("GET", "CLIENT", CLIENT)
GOOD_SPANS: Final = (
    CALL,
    replace(CALL, attributes=SERVER | TOOL_ERROR, status="ERROR"),
    replace(CALL, attributes=SERVER | HTTP | {"client.address": "127.0.0.1", "client.port": 1}),
    ATTEMPT,
    span("libraries_io.quota.wait", "INTERNAL", ENDPOINT | {"libraries_io.quota.wait": 1.0}),
    span("libraries_io.flight.join", "INTERNAL", ENDPOINT, links=(SpanLink("t" * 32, "s" * 16, {}),)),
    span("libraries_io.replica.wait", "INTERNAL", ENDPOINT),
    span("startup", "INTERNAL", {"libraries_io.operation": "startup"}),
)
OPERATION: Final = replace(
    point(semconv.OPERATION_DURATION),
    attributes={key: value for key, value in SERVER.items() if key in semconv.OPERATION_DURATION.attributes},
)
WORK: Final = point(semconv.WORK_DURATION, libraries_io__operation="startup")
RECORD: Final = LogRecord(0, "INFO", "text", {}, None, None, "", ORIGIN)


def without(attributes: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in attributes.items() if key not in names}


def test_what_is_right_is_not_complained_of():
    assert list(truth.complaints_of_spans(GOOD_SPANS, KNOWN)) == []
    assert list(truth.complaints_of_points([OPERATION, WORK], KNOWN)) == []
    assert list(truth.complaints_of_logs([RECORD], KNOWN)) == []


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (replace(CALL, name="made up!"), "span 'made up!' of kind SERVER"),
        (replace(CALL, kind="PRODUCER"), "of kind PRODUCER"),
        (replace(CALL, name="tools/call evaluate_package"), "is called otherwise than what it says"),
        (replace(CALL, attributes=SERVER | {"made.up": 1}), "attribute made.up = 1"),
        (replace(CALL, attributes=SERVER | {"network.transport": "udp"}), "value network.transport = 'udp'"),
        (replace(CALL, attributes=SERVER | {"gen_ai.tool.name": "nothing"}), "is nothing of this server"),
        (replace(CALL, attributes=without(SERVER, "jsonrpc.request.id")), "jsonrpc.request.id is missing"),
        (replace(CALL, attributes=without(SERVER, "gen_ai.operation.name")), "gen_ai.operation.name is missing"),
        (replace(CALL, attributes=SERVER | {"network.transport": "tcp"}), "client.address is missing"),
        (
            replace(CALL, name="resources/read", attributes=SERVER | {"mcp.method.name": "resources/read"}),
            "mcp.resource",
        ),
        (replace(CALL, attributes=SERVER | TOOL_ERROR), "status UNSET with error.type tool_error"),
        (replace(CALL, status="ERROR"), "status ERROR with error.type None"),
        (
            replace(CALL, attributes=SERVER | {"error.type": "tool_error"}, status="ERROR"),
            "libraries_io.error.type is m",
        ),
        (
            replace(CALL, attributes=SERVER | {"error.type": "ReadError"}, status="ERROR"),
            "'ReadError' is none of its own",
        ),
        (replace(CALL, attributes=SERVER | {"error.type": "-32602"}, status="ERROR"), "'-32602' is none of its own"),
        (replace(CALL, events=(SpanEvent("made.up", 0, {}),)), "event 'made.up'"),
        (replace(CALL, events=(SpanEvent("exception", 0, {"exception.message": "x"}),)), "attribute exception.message"),
        (replace(CALL, origin=Origin({"service.name": "x"}, "")), "resource ['service.name']"),
        (replace(ATTEMPT, attributes=without(CLIENT, "url.template")), "url.template is missing"),
        (replace(ATTEMPT, attributes=CLIENT | {"url.template": "/made/up"}), "'/made/up' is no endpoint"),
        (replace(ATTEMPT, attributes=without(CLIENT, "http.response.status_code")), "error.type is missing"),
        (
            replace(ATTEMPT, attributes=CLIENT | {"error.type": "Whatever"}, status="ERROR"),
            "value error.type = 'Whatever'",
        ),
        (replace(ATTEMPT, links=(SpanLink("t" * 32, "s" * 16, {}),)), "has links"),
        (replace(GOOD_SPANS[-1], attributes={}), "libraries_io.operation is missing"),
        (replace(GOOD_SPANS[4], attributes=ENDPOINT), "libraries_io.quota.wait is missing"),
        (replace(GOOD_SPANS[6], attributes={}), "libraries_io.endpoint is missing"),
    ],
)
def test_wrong_spans_are_refused(wrong: Span, complaint: str):
    assert [each for each in truth.complaints_of_spans([wrong], KNOWN) if complaint in each]


def test_an_attempt_may_end_without_an_outcome_where_its_request_was_cut_short():
    attempt = replace(ATTEMPT, attributes=without(CLIENT, "http.response.status_code"))
    cancelled = replace(CALL, attributes=SERVER | {"error.type": "cancelled"}, status="ERROR")
    assert list(truth.complaints_of_spans([attempt, cancelled], KNOWN)) == []
    assert list(truth.complaints_of_spans([attempt, replace(cancelled, trace_id="u" * 32)], KNOWN))


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (replace(WORK, name="made.up"), "metric 'made.up'"),
        (replace(WORK, unit="ms"), "histogram in 'ms', declared histogram in 's'"),
        (replace(WORK, kind="sum"), "sum in 's', declared histogram in 's'"),
        (replace(WORK, bounds=(1.0,)), "bounds (1.0,)"),
        (replace(WORK, attributes={}), "libraries_io.operation is missing"),
        (replace(WORK, attributes=WORK.attributes | {"libraries_io.package": "x"}), "attribute libraries_io.package"),
        (replace(WORK, attributes=WORK.attributes | {"error.type": "ValueError"}), "value error.type = 'ValueError'"),
        (replace(WORK, attributes=WORK.attributes | {"error.type": "ReadError"}), "'ReadError' is none of its own"),
        (replace(WORK, exemplars=(Exemplar(1.0, 0, "t" * 32, "s" * 16, {"x": 1}),)), "exemplar with"),
        (replace(OPERATION, attributes=OPERATION.attributes | {"error.type": "500"}), "'500' is none of its own"),
        (
            replace(OPERATION, attributes=without(OPERATION.attributes, "gen_ai.tool.name")),
            "gen_ai.tool.name is missing",
        ),
        (point(semconv.RETRIES, libraries_io__endpoint="/search"), "error.type is missing"),
        (point(semconv.RETRIES, libraries_io__endpoint="/made/up", error__type="timeout"), "is no endpoint"),
    ],
)
def test_wrong_points_are_refused(wrong: MetricPoint, complaint: str):
    assert [each for each in truth.complaints_of_points([wrong], KNOWN) if complaint in each]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (replace(RECORD, event_name="made.up"), "log event 'made.up'"),
        (replace(RECORD, attributes={"made.up": 1}), "attribute made.up = 1"),
        (replace(RECORD, attributes={"error.type": "ValueError"}), "value error.type = 'ValueError'"),
        (replace(RECORD, attributes={"code.line.number": "7"}), "value code.line.number = '7'"),
    ],
)
def test_wrong_records_are_refused(wrong: LogRecord, complaint: str):
    assert [each for each in truth.complaints_of_logs([wrong], KNOWN) if complaint in each]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("# TYPE made_up counter", "family made_up"), ('libraries_io_retries_total{made_up="x"} 1', "label made_up")],
)
def test_wrong_text_for_prometheus_is_refused(text: str, complaint: str):
    assert [each for each in truth.complaints_of_prometheus(text) if complaint in each]
