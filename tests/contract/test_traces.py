"""Where the seconds went and who asked: waits, shared questions, links and baggage, as OTLP shows them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support import wire
from tests.support.command import HTTP, Running
from tests.support.polling import HANG_SECONDS
from tests.support.stand_in import CANARY, sandbox

from libraries_io_mcp.demo.otlp_model import Span
from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver
from libraries_io_mcp.sandbox.faults import Fault

MESSAGE = "4bf92f3577b34da6a3ce929d0e0e4736"
JOIN_SECONDS = 3.0
"""So long after the first question the second one may come, on a busy machine."""
REQUEST = "0af7651916cd43dd8448eb211c80319c"
PARENT = "00f067aa0ba902b7"
BAGGAGE = "gen_ai.conversation.id=talk-7,session.id=s-1,user.email=somebody@example.org"


@pytest.fixture(scope="module")
def url(receiver: OtlpReceiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over HTTP whose upstream is slow for one package and refuses the first question for another."""
    faults = [
        Fault("bad_gateway_slow", path="*/left-pad", count=1, delay=JOIN_SECONDS),
        Fault("rate_limited", path="*/express", count=1),
    ]
    folder: Path = tmp_path_factory.mktemp("http")
    with (
        sandbox(faults=faults, window_seconds=2) as upstream,
        Running(
            *HTTP,
            folder=folder,
            LIBRARIES_IO_BASE_URL=upstream,
            LIBRARIES_IO_API_KEY=CANARY,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_BSP_SCHEDULE_DELAY="100",
        ) as server,
    ):
        yield server.url


def ask(url: str, name: str, trace: str, **meta: str) -> None:
    """Call over HTTP in a trace of the caller's."""
    request = wire.tool_call(url, wire.MODERN, "get_package_info", platform="npm", name=name)
    body = {**httpx.Response(200, content=request.content).json()}
    body["params"]["_meta"] |= {"traceparent": f"00-{trace}-{PARENT}-01", **meta}
    headers = {**wire.HEADERS, "traceparent": f"00-{REQUEST}-{PARENT[::-1]}-01"}
    headers |= {"mcp-protocol-version": wire.MODERN, "mcp-method": "tools/call", "mcp-name": "get_package_info"}
    httpx.post(url, json=body, headers=headers, timeout=HANG_SECONDS).raise_for_status()


def spans_of(receiver: OtlpReceiver, trace: str, *names: str) -> list[Span]:
    """The spans of a trace, once all of `names` are there."""

    def there(receiver: OtlpReceiver) -> list[Span] | None:
        found = [span for span in receiver.spans if span.trace_id == trace]
        return found if set(names) <= {span.name for span in found} else None

    return receiver.wait_for(there, f"{names} in {trace}")


def test_the_message_speaks_first_and_the_http_request_is_a_link(url: str, receiver: OtlpReceiver):
    ask(url, "react", MESSAGE, baggage=BAGGAGE)
    spans = spans_of(receiver, MESSAGE, "tools/call get_package_info", "GET")
    (server,) = [span for span in spans if span.kind == "SERVER"]
    assert server.parent_id == PARENT
    assert [(link.trace_id, link.span_id) for link in server.links] == [(REQUEST, PARENT[::-1])]
    assert server.attributes["gen_ai.conversation.id"] == "talk-7"
    assert server.attributes["session.id"] == "s-1"
    assert "somebody" not in str(spans)


def test_a_wait_for_the_quota_has_its_own_span(url: str, receiver: OtlpReceiver):
    trace = "1" * 32
    ask(url, "express", trace)
    spans = spans_of(receiver, trace, "libraries_io.quota.wait", "tools/call get_package_info")
    # Before the first attempt there can be a wait too: for a window of the service to begin.
    wait = max((span for span in spans if span.name == "libraries_io.quota.wait"), key=lambda span: span.start_ns)
    (server,) = [span for span in spans if span.kind == "SERVER"]
    first, second = sorted((span for span in spans if span.name == "GET"), key=lambda span: span.start_ns)
    assert wait.parent_id == first.parent_id == second.parent_id == server.span_id
    assert first.end_ns <= wait.end_ns <= second.start_ns
    # What is said was measured inside of the span; a busy machine may do something else in between.
    assert 0 < wait.attributes["libraries_io.quota.wait"] <= wait.seconds + 0.01
    assert second.attributes["http.request.resend_count"] == 1
    assert "http.request.resend_count" not in first.attributes


def test_a_header_hides_no_call(url: str, receiver: OtlpReceiver):
    """Before 2026-07-28 nothing holds the header against the message, so nobody may be believed."""
    trace = "2" * 32
    request = wire.tool_call(url, wire.LEGACY, "get_quota_status")
    headers = {**request.headers, "mcp-method": "evil", "traceparent": f"00-{trace}-{PARENT}-01"}
    httpx.post(url, content=request.content, headers=headers, timeout=HANG_SECONDS).raise_for_status()
    spans_of(receiver, trace, "tools/call get_quota_status")


def test_the_lists_that_the_library_asks_itself_for_are_no_requests(url: str, receiver: OtlpReceiver):
    trace = "3" * 32
    ask(url, "react", trace)
    spans = spans_of(receiver, trace, "tools/call get_package_info")
    assert [span.name for span in spans if span.kind == "SERVER"] == ["tools/call get_package_info"]


@pytest.mark.anyio
async def test_who_joins_a_question_links_to_who_asks_it(url: str, receiver: OtlpReceiver):
    traces = ["a" * 32, "b" * 32]
    await asyncio.gather(*(asyncio.to_thread(ask, url, "left-pad", trace) for trace in traces))
    receiver.wait_for(
        lambda r: [span for span in r.spans if span.name == "libraries_io.flight.join"], "the span of who joins"
    )
    (join,) = [span for span in receiver.spans if span.name == "libraries_io.flight.join"]
    asker = next(trace for trace in traces if trace != join.trace_id)
    spans = spans_of(receiver, asker, "tools/call get_package_info", "GET")
    (server,) = [span for span in spans if span.kind == "SERVER"]
    assert [(link.trace_id, link.span_id) for link in join.links] == [(asker, server.span_id)]
    joined = spans_of(receiver, join.trace_id, "tools/call get_package_info")
    assert "GET" not in {span.name for span in joined}
    (waiter,) = [span for span in joined if span.kind == "SERVER"]
    assert waiter.attributes["libraries_io.cache.result"] == "coalesced"
