"""A small store as the receiver would hold it after one question that met an exhausted quota."""

from dataclasses import replace

from libraries_io_mcp.demo.otlp_model import Exemplar, LogRecord, MetricPoint, Origin, Span
from libraries_io_mcp.demo.questions import Asked, Question
from libraries_io_mcp.demo.story import CLIENT_NAME, DURATION, SERVER_NAME, Received

TRACE = "5f3a" * 8
TOOL = "get_package_info"
START = 1_795_470_000_000_000_000
SECRET = "c0ffee" * 6
DEMO = Origin({"service.name": CLIENT_NAME}, "fastmcp")
SERVER = Origin({"service.name": SERVER_NAME}, "libraries_io_mcp")

PACKAGE = {
    "platform": "Cargo",
    "name": "serde",
    "description": "Serialises data",
    "licenses": ["MIT", "Apache-2.0"],
    "latest_stable": "1.0.219",
    "latest_stable_published_at": "2025-03-09T03:08:51Z",
    "versions_count": 3,
    "repository_url": "https://github.com/serde-rs/serde",
    "stars": 61796,
    "dependents_count": 150721,
    "provenance": {"endpoint": "/{platform}/{name}", "source": "network", "quota_remaining": 10},
}
QUESTION = Question("What is serde?", TOOL, {}, lambda answer: answer["name"] == "serde", refused_first=True)
ASKED = Asked(QUESTION, PACKAGE, False, TRACE, 3.1)


def span(span_id: str, parent: str | None, name: str, kind: str, start: float, end: float, **changes: object) -> Span:
    """A span of the trace; times in seconds after its start."""
    plain = Span(
        trace_id=TRACE,
        span_id=span_id,
        parent_id=parent,
        name=name,
        kind=kind,
        start_ns=START + round(start * 1e9),
        end_ns=START + round(end * 1e9),
        attributes={},
        events=(),
        links=(),
        status="UNSET",
        status_message="",
        origin=SERVER,
    )
    return replace(plain, **changes)


def attempt(span_id: str, start: float, end: float, status: int, **attributes: object) -> Span:
    """One request of the server to the API."""
    facts = {"http.response.status_code": status, "url.template": "/{platform}/{name}", **attributes}
    return span(span_id, "03", "GET", "CLIENT", start, end, attributes=facts)


SPANS = (
    span("01", None, f"tools/call {TOOL}", "CLIENT", 0.0, 3.1, origin=DEMO),
    span("02", "01", f"MCP send tools/call {TOOL}", "CLIENT", 0.001, 3.099, origin=DEMO),
    span("03", "02", f"tools/call {TOOL}", "SERVER", 0.003, 3.09),
    attempt("04", 0.005, 0.01, 429),
    attempt("05", 3.05, 3.08, 200, **{"http.request.resend_count": 1}),
)
POINT = MetricPoint(
    name=DURATION,
    unit="s",
    kind="histogram",
    attributes={"gen_ai.tool.name": TOOL, "mcp.method.name": "tools/call"},
    time_ns=START,
    origin=SERVER,
    count=1,
    sum=3.087,
    bounds=(1.0, 2.0, 5.0),
    buckets=(0, 0, 1, 0),
    min=3.087,
    max=3.087,
    exemplars=(Exemplar(3.087, START, TRACE, "03", {}),),
)
LOG = LogRecord(
    time_ns=START,
    severity="INFO",
    body=f"tools/call {TOOL} completed in 3087.0 ms",
    attributes={},
    trace_id=TRACE,
    span_id="03",
    event_name="libraries_io.operation.completed",
    origin=SERVER,
)
RECEIVED = Received(SPANS, (POINT,), (LOG,), "1 requests")
