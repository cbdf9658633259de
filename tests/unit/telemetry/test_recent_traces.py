"""Recent traces: what is kept, what goes first, what is shown, and that memory has a bound whatever comes."""

from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, set_span_in_context

from libraries_io_mcp.telemetry.recent_traces import LONGEST_TEXT, RecentTraces, TraceBounds
from libraries_io_mcp.telemetry.redaction import Redactor

SECRET = "5ecret5ecret5ecret"
MILLISECOND = 1_000_000


class Stage:
    """A tracer whose spans take as long as they are told."""

    def __init__(self, slow_seconds: float = 1.0, **bounds: int) -> None:
        bounds_given = TraceBounds(**bounds) if bounds else None
        self.recent = RecentTraces(Redactor([SECRET]), slow_seconds=slow_seconds, bounds=bounds_given)
        # Whatever a test before this one has put into the environment.
        limits = SpanLimits(max_attribute_length=SpanLimits.UNSET, max_span_attribute_length=SpanLimits.UNSET)
        provider = TracerProvider(shutdown_on_exit=False, span_limits=limits)
        provider.add_span_processor(self.recent)
        self.tracer = provider.get_tracer("test")
        self.now = 1_700_000_000_000 * MILLISECOND

    def request(self, name: str = "tools/call get_package_info", *, seconds: float = 0.01, **more) -> str:
        """One request with one attempt in it; returns its trace id."""
        attributes = more.pop("attributes", {"gen_ai.tool.name": name.rpartition(" ")[2]})
        length = int(seconds * 1000) * MILLISECOND
        root = self.tracer.start_span(
            name, kind=SpanKind.SERVER, attributes=attributes, start_time=self.now, **more.pop("root", {})
        )
        child = self.tracer.start_span(
            "GET",
            context=set_span_in_context(root),
            kind=SpanKind.CLIENT,
            attributes={"libraries_io.platform": "PyPI", "libraries_io.package": "requests", **more.pop("child", {})},
            start_time=self.now + MILLISECOND,
        )
        child.end(self.now + length - MILLISECOND)
        if error := more.pop("error", None):
            root.set_attribute("error.type", error)
            root.set_status(Status(StatusCode.ERROR, error))
        root.end(self.now + length)
        self.now += length
        return format(root.get_span_context().trace_id, "032x")

    def told(self, number: int = 0, limit: int = 1000) -> list[dict]:
        return self.recent.since(number, limit)[0]


def test_a_summary_tells_what_the_request_was():
    stage = Stage()
    trace_id = stage.request(seconds=0.5, error="tool_error")
    (summary,) = stage.told()
    assert summary == {
        "trace_id": trace_id,
        "name": "tools/call get_package_info",
        "tools": ["get_package_info"],
        "packages": ["PyPI/requests"],
        "errors": ["tool_error"],
        "failed": True,
        "started": 1_700_000_000.0,
        "duration": 0.5,
        "requests": 1,
        "span_count": 2,
        "left_out": 0,
    }


def test_one_trace_has_its_spans_in_the_order_they_began():
    stage = Stage()
    trace = stage.recent.trace(stage.request(seconds=0.5))
    assert trace is not None
    root, child = trace["spans"]
    assert (root["name"], root["kind"], root["offset"], root["duration"]) == (
        "tools/call get_package_info",
        "SERVER",
        0.0,
        0.5,
    )
    assert (child["parent_id"], child["offset"], child["duration"]) == (root["span_id"], 0.001, 0.498)
    assert child["attributes"] == {"libraries_io.platform": "PyPI", "libraries_io.package": "requests"}


def test_only_what_is_new_is_told_and_a_changed_trace_again():
    stage = Stage()
    stage.request()
    _, number = stage.recent.since(0, 10)
    assert stage.recent.since(number, 10) == ([], number)
    newer = stage.request()
    fresh, number = stage.recent.since(number, 10)
    assert [each["trace_id"] for each in fresh] == [newer]


def test_of_too_many_the_newest_are_told():
    stage = Stage()
    ids = [stage.request() for _ in range(5)]
    assert [each["trace_id"] for each in stage.told(limit=2)] == ids[3:]


def test_a_request_under_way_is_not_told():
    stage = Stage()
    root = stage.tracer.start_span("tools/call get_package_info", kind=SpanKind.SERVER)
    stage.tracer.start_span("GET", context=set_span_in_context(root)).end()
    assert stage.told() == []
    root.end()
    assert len(stage.told()) == 1


def test_the_oldest_go_first_and_failed_and_slow_ones_stay_longer():
    stage = Stage(traces=3, notable=2)
    failed, slow = stage.request(error="tool_error"), stage.request(seconds=2.0)
    ids = [stage.request() for _ in range(10)]
    assert {each["trace_id"] for each in stage.told()} == {failed, slow, *ids[-3:]}
    newest = [stage.request(error="tool_error") for _ in range(2)]
    # The attempt of a failing request comes before anybody knows that it fails, and takes an ordinary place.
    assert {each["trace_id"] for each in stage.told()} == {*newest, *ids[-2:]}
    assert stage.recent.facts()["forgotten"] == 10
    assert stage.recent.trace(failed) is None


def test_a_trace_with_too_many_spans_keeps_the_newest():
    stage = Stage(spans=3)
    root = stage.tracer.start_span("tools/call audit_dependencies", kind=SpanKind.SERVER)
    for number in range(10):
        stage.tracer.start_span(f"step {number}", context=set_span_in_context(root)).end()
    root.end()
    (summary,) = stage.told()
    assert (summary["span_count"], summary["left_out"], summary["name"]) == (3, 8, "tools/call audit_dependencies")


def test_many_huge_values_stay_within_the_bytes():
    stage = Stage(bytes=1_000_000)
    for _ in range(50):
        stage.request(child={"url.full": "x" * 100_000})
        assert stage.recent.bytes <= 1_000_000
    assert 0 < len(stage.told()) < 10
    stage.request(child={"url.full": "x" * 2_000_000})
    assert stage.recent.bytes <= 1_000_000


def test_bytes_are_given_back():
    stage = Stage(traces=5)
    stage.request()
    one = stage.recent.bytes
    for _ in range(100):
        stage.request()
    assert stage.recent.bytes == 5 * one


def test_long_values_are_cut_and_say_so():
    stage = Stage()
    trace = stage.recent.trace(stage.request(child={"url.full": "x" * (LONGEST_TEXT + 7)}))
    assert trace is not None
    assert trace["spans"][1]["attributes"]["url.full"].endswith("... (7 more characters)")


def test_secrets_are_masked_wherever_they_stand():
    stage = Stage()
    trace_id = stage.request(
        f"tools/call {SECRET}",
        error=SECRET,
        child={"url.full": f"https://x.example/?api_key={SECRET}", "libraries_io.package": SECRET},
    )
    assert SECRET not in str(stage.told())
    assert SECRET not in str(stage.recent.trace(trace_id))
    assert "***" in str(stage.recent.trace(trace_id))


def test_events_and_links_are_shown():
    stage = Stage()
    other = stage.tracer.start_span("other")
    root = stage.tracer.start_span("tools/call x", kind=SpanKind.SERVER, links=[Link(other.get_span_context())])
    root.add_event("exception", {"exception.type": "ValueError"})
    root.end()
    trace = stage.recent.trace(format(root.get_span_context().trace_id, "032x"))
    assert trace is not None
    assert trace["spans"][0]["links"] == [format(other.get_span_context().trace_id, "032x")]
    assert trace["spans"][0]["events"][0]["attributes"] == {"exception.type": "ValueError"}


def test_an_id_that_is_none_is_not_found():
    assert Stage().recent.trace("../../etc/passwd") is None
    assert Stage().recent.trace("00") is None
