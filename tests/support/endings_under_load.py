"""A server that is asked to end with fifty calls in flight: each is answered or refused, and counted once."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import httpx
from tests.support import wire
from tests.support.command import Running, server_arguments
from tests.support.endings import CODES, assert_quiet, counts, read_outcome
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.raw_http import address
from tests.support.upstream import Upstream

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

CALLS: Final = 50
FORMS: Final = ("modern", "session", "stream")
"""What a client has over HTTP: a revision without sessions, a session, or a session that asks for progress."""


def start(transport: str, receiver: OtlpReceiver, upstream: Upstream, folder: Path, **variables: str) -> Running:
    """A server with a live receiver and an upstream of ours."""
    return Running(
        *server_arguments(transport),
        folder=folder,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        LIBRARIES_IO_BASE_URL=upstream.base_url,
        LIBRARIES_IO_API_KEY="0123456789abcdef0123456789abcdef",
        LIBRARIES_IO_RATE_LIMIT="100000",
        **variables,
    )


def assert_stdio_loses_nothing(how: str, package: str, folder: Path) -> None:
    """`package` is `good`: Libraries.io answers; or `hang`: it never does, so what is in flight is refused."""
    with OtlpReceiver() as live, Upstream() as upstream, start("stdio", live, upstream, folder) as server:
        server.initialize()
        first = server.request("tools/list") + 1
        for number in range(CALLS):
            name = f"{package}-{number}" if package == "good" else package
            server.request("tools/call", name="get_package_info", arguments={"platform": "NPM", "name": name})
        # A signal comes when all calls are read; a call that is still in the pipe is nobody's yet.
        if how != "EOF" and package == "good":
            upstream.wait_for("/good-", CALLS)
        elif how != "EOF":
            server.answer(server.request("ping"))
        server.ask_to_end(how)
        outcome = read_outcome(server, range(first, first + CALLS))
        assert server.process.wait(HANG_SECONDS) == CODES[how]
        assert outcome.other == []
        assert outcome.answered + outcome.refused == CALLS
        assert counts(live) == (CALLS, CALLS, CALLS)


def assert_http_loses_nothing(how: str, package: str, form: str, folder: Path) -> None:
    """The same over HTTP, in one of `FORMS`: a refusal is a JSON-RPC error, as JSON or as an event."""
    with OtlpReceiver() as live, Upstream() as upstream, start("http", live, upstream, folder) as server:
        with asking(server, package, form) as connections:
            if package == "good":
                upstream.wait_for("/good-", 10)
            else:
                all_in_flight(server)
            server.ask_to_end(how)
            seen = Counter(kind_of_answer(each, number) for number, each in enumerate(connections))
        assert server.process.wait(HANG_SECONDS) == CODES[how]
        assert_quiet(server)
        assert not [line for line in server.log_lines() if line["level"] == "ERROR"]
        assert seen["answered"] + seen["refused"] == CALLS
        assert seen["refused"] == refused_at_the_end(live)
        spans, logs, points = counts(live)
        assert spans == logs == points
        cut_short = len([span for span in live.spans if span.attributes.get("error.type") == "cancelled"])
        if package == "hang":
            assert (cut_short, spans, seen["refused"]) == (CALLS, CALLS, CALLS)
        elif form == "modern":
            # What had not been read when the signal came was refused before it became a request of the protocol.
            assert spans == seen["answered"] + cut_short
        else:
            # A call of a session may come to its end in the moment in which it is refused.
            assert seen["answered"] <= spans - cut_short <= CALLS - cut_short


@contextmanager
def asking(server: Running, package: str, form: str) -> Iterator[list[HTTPConnection]]:
    """As many connections, on each of which a call has been sent; its id is the connection's place."""
    session = None if form == "modern" else wire.open_session(server.url)
    with ExitStack() as stack:
        connections = []
        for number in range(CALLS):
            name = f"{package}-{number}" if package == "good" else package
            call = wire.tool_call(server.url, wire.MODERN, "get_package_info", platform="NPM", name=name)
            body = {**json.loads(call.content), "id": number}
            if form != "modern":
                body["params"]["_meta"] = {"progressToken": number} if form == "stream" else {}
            connection = HTTPConnection(*address(server.url), timeout=HANG_SECONDS)
            stack.callback(connection.close)
            headers = session or {name: value for name, value in call.headers.items() if name != "content-length"}
            connection.request("POST", "/mcp", json.dumps(body), headers)
            connections.append(connection)
        yield connections


def all_in_flight(server: Running) -> None:
    """Return when the server says that it works on all of them."""
    url = server.url.replace("/mcp", "/metrics")
    active = f"libraries_io_operations_active {CALLS}.0"
    poll_until(lambda: active in httpx.get(url, timeout=HANG_SECONDS).text, f"{active} in {url}")


def kind_of_answer(connection: HTTPConnection, number: int) -> str:
    """`answered` or `refused`; fails on anything else, such as a connection that breaks off."""
    reply = connection.getresponse()
    text = reply.read().decode()
    if reply.headers["content-type"] == "text/event-stream":
        events = [json.loads(line[5:]) for line in text.splitlines() if line.startswith("data:") and line[5:].strip()]
        (message,) = [event for event in events if "method" not in event]
    else:
        message = json.loads(text)
    assert message["id"] == number
    if "result" in message:
        assert (reply.status, message["result"].get("isError", False)) == (200, False)
        return "answered"
    assert message["error"] == {"code": -32000, "message": "The server ends: ask again in a moment."}
    if reply.status != 200:
        assert (reply.status, reply.headers["retry-after"], reply.headers["connection"]) == (503, "2", "close")
    return "refused"


def refused_at_the_end(receiver: OtlpReceiver) -> float:
    """How many requests the server has refused because it ended, by its last metric."""
    named = [point for point in receiver.points if point.name == "libraries_io.http.refusals"]
    found: list[Any] = [p.value for p in named if p.attributes["libraries_io.refusal.reason"] == "server_ends"]
    return found[-1] if found else 0
