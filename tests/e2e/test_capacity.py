"""A server that has all it may have, on real sockets: the documented answers, and those inside are served on."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from tests.support.command import HTTP, Running
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.raw_http import ACCEPT, STATUS, ask_package, connect, refusals, rest
from tests.support.stand_in import CANARY
from tests.support.upstream import Upstream

PARAMS: Final = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
INITIALIZE: Final = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": PARAMS}
PING: Final = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
FIRST, SECOND, THIRD = "203.0.113.1", "203.0.113.2", "203.0.113.3"


@contextmanager
def serving(folder: Path, upstream: Upstream, **given: str) -> Iterator[Running]:
    """A server whose calls may hang as long as they like."""
    common = {
        "LIBRARIES_IO_BASE_URL": upstream.base_url,
        "LIBRARIES_IO_API_KEY": CANARY,
        "LIBRARIES_IO_TIMEOUT_SECONDS": "300",
        "OTEL_METRICS_EXPORTER": "prometheus",
    }
    with Running(*HTTP, folder=folder, **common, **given) as server:
        yield server


class Calls:
    """Calls from threads."""

    def __init__(self) -> None:
        self.answers: list[httpx.Response] = []
        self._threads: list[threading.Thread] = []

    def begin(self, url: str, client: str, package: str) -> None:
        """Ask, and keep the answer when it comes."""

        def ask() -> None:
            self.answers.append(ask_package(url, client, package))

        self._threads.append(threading.Thread(target=ask, daemon=True))
        self._threads[-1].start()

    def join(self) -> None:
        """Wait for all of them."""
        for thread in self._threads:
            thread.join(HANG_SECONDS)


def test_calls_that_find_no_place_wait_and_one_more_is_refused(tmp_path: Path):
    given = {"MCP_STATELESS": "true", "MCP_MAX_CONCURRENT_CALLS": "1", "MCP_MAX_QUEUED_CALLS": "1"}
    calls = Calls()
    with Upstream() as upstream, serving(tmp_path, upstream, **given) as server:
        calls.begin(server.url, FIRST, "hang")
        upstream.wait_for("hang")
        # One of these waits, whichever comes first, and the other one is told to come again.
        calls.begin(server.url, SECOND, "good")
        calls.begin(server.url, THIRD, "good")
        poll_until(lambda: len(calls.answers) == 1, "one to be refused")
        refused = calls.answers[0]
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["error"] == "server_busy"
        base = server.url.removesuffix("/mcp")
        assert refusals(base, "server_busy") == 1
        assert (used(base, "calls"), used(base, "queued_calls")) == (1, 1)
        upstream.released.set()
        calls.join()
        assert [answer.status_code for answer in calls.answers[1:]] == [200, 200]
        assert upstream.asked_for("good") == 1


def test_a_call_that_takes_too_long_ends_and_its_place_is_free(tmp_path: Path):
    given = {"MCP_STATELESS": "true", "MCP_CALL_TIMEOUT_SECONDS": "1", "MCP_MAX_CONCURRENT_CALLS_PER_CALLER": "1"}
    with Upstream() as upstream, serving(tmp_path, upstream, **given) as server:
        for _ in range(2):
            answer = ask_package(server.url, FIRST, "hang")
            assert answer.status_code == 200
            result = answer.json()["result"]
            assert result["isError"]
            assert result["structuredContent"]["error_type"] == "call_timeout"
        assert refusals(server.url.removesuffix("/mcp"), "call_timeout") == 2
        poll_until(lambda: ask_package(server.url, FIRST, "good").json()["result"]["isError"] is False, "a good answer")


def test_a_connection_too_many_is_told_so_when_all_are_busy(tmp_path: Path):
    calls = Calls()
    with Upstream() as upstream, serving(tmp_path, upstream, MCP_STATELESS="true", MCP_MAX_CONNECTIONS="1") as server:
        calls.begin(server.url, FIRST, "hang")
        upstream.wait_for("hang")
        with connect(server.url) as connection:
            answer = rest(connection)
        assert STATUS.findall(answer) == [b"503"]
        assert b"retry-after: 5" in answer
        assert b"too_many_connections" in answer
        upstream.released.set()
        calls.join()
        assert [each.status_code for each in calls.answers] == [200]
        assert httpx.get(server.url.replace("/mcp", "/health"), timeout=HANG_SECONDS).status_code == 200


def test_a_manifest_of_nine_megabytes_is_taken(tmp_path: Path):
    lines = "requests==2.0\n"
    arguments = {"manifest": lines * (9_000_000 // len(lines)), "filename": "requirements.txt"}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    message["params"] = {"name": "audit_dependencies", "arguments": arguments}
    headers = {**ACCEPT, "MCP-Protocol-Version": "2025-11-25"}
    with Upstream() as upstream, serving(tmp_path, upstream, MCP_STATELESS="true") as server:
        answer = httpx.post(server.url, json=message, headers=headers, timeout=HANG_SECONDS)
        assert answer.status_code == 200
        assert upstream.asked_for("/check") == 1


def used(base: str, limit: str) -> float:
    """How much of a limit is in use, by the server's own gauge."""
    for line in httpx.get(f"{base}/metrics", timeout=HANG_SECONDS).text.splitlines():
        if line.startswith("libraries_io_http_limit_used") and f'libraries_io_http_limit_name="{limit}"' in line:
            return float(line.rpartition(" ")[2])
    raise AssertionError(f"no gauge of {limit}")


def test_half_sent_bodies_take_no_more_memory_than_their_caller_may(tmp_path: Path):
    given = {"MCP_MAX_REQUEST_BYTES": "1000000", "MCP_MAX_HELD_BYTES_PER_CALLER": "2000000"}
    head = f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {FIRST}\r\nContent-Length: 1000000\r\n\r\n"
    with (
        Upstream() as upstream,
        serving(tmp_path, upstream, MCP_STATELESS="true", **given) as server,
        ExitStack() as stack,
    ):
        base = server.url.removesuffix("/mcp")
        connections = [stack.enter_context(connect(server.url)) for _ in range(6)]
        for connection in connections:
            connection.sendall(head.encode() + b"x" * 900_000)
        poll_until(lambda: refusals(base, "too_many_bytes") == 4, "those that are too many to be refused")
        assert 0 < used(base, "held_bytes") <= 2_000_000
        # The other callers have their room.
        assert ask_package(server.url, SECOND, "good").status_code == 200
        stack.close()
        poll_until(lambda: used(base, "held_bytes") == 0, "the room to be free")
        assert ask_package(server.url, FIRST, "good").status_code == 200


class Sessions:
    """Sessions of clients behind a proxy on this machine."""

    def __init__(self, url: str) -> None:
        self.url = url

    def open(self, client: str) -> httpx.Response:
        return httpx.post(self.url, json=INITIALIZE, headers=self.headers(client), timeout=HANG_SECONDS)

    def headers(self, client: str, opened: httpx.Response | None = None) -> dict[str, str]:
        session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]} if opened is not None else {}
        return {**ACCEPT, "X-Forwarded-For": client, "MCP-Protocol-Version": "2025-11-25", **session}

    def in_session(self, ask: Callable[..., httpx.Response], client: str, opened: httpx.Response, **more: Any) -> int:
        return ask(self.url, headers=self.headers(client, opened), timeout=HANG_SECONDS, **more).status_code


@pytest.fixture(scope="module")
def sessions(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    limits = {
        "MCP_MAX_SESSIONS": "3",
        "MCP_MAX_SESSIONS_PER_CALLER": "2",
        "MCP_MAX_STREAMS": "2",
        "MCP_MAX_STREAMS_PER_CALLER": "1",
    }
    with serving(tmp_path_factory.mktemp("server"), upstream, **limits) as server:
        yield Sessions(server.url)


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["error"], answer.headers["retry-after"]


def test_sessions_of_one_caller_and_of_all(sessions: Sessions):
    first, other, second = (sessions.open(client) for client in (FIRST, FIRST, SECOND))
    assert [each.status_code for each in (first, other, second)] == [200, 200, 200]
    assert refused(sessions.open(FIRST)) == (429, "too_many_sessions", "60")
    assert refused(sessions.open(THIRD)) == (503, "too_many_sessions", "60")
    # Those that are open go on.
    assert sessions.in_session(httpx.post, FIRST, first, json=PING) == 200
    assert sessions.in_session(httpx.delete, FIRST, other) == 200
    third = sessions.open(THIRD)
    assert third.status_code == 200
    assert used(sessions.url.removesuffix("/mcp"), "sessions") == 3
    for client, opened in ((FIRST, first), (SECOND, second), (THIRD, third)):
        assert sessions.in_session(httpx.delete, client, opened) == 200
    assert refusals(sessions.url.removesuffix("/mcp"), "too_many_sessions") == 2


def test_streams_of_one_caller_and_of_all(sessions: Sessions):
    opened = {client: sessions.open(client) for client in (FIRST, SECOND, THIRD)}

    def stream(client: str) -> Any:
        return httpx.stream("GET", sessions.url, headers=sessions.headers(client, opened[client]), timeout=HANG_SECONDS)

    with stream(FIRST) as first, stream(SECOND) as second:
        assert (first.status_code, second.status_code) == (200, 200)
        assert used(sessions.url.removesuffix("/mcp"), "streams") == 2
        for client, status in ((FIRST, 429), (THIRD, 503)):
            with stream(client) as one_more:
                one_more.read()
                assert refused(one_more) == (status, "too_many_streams", "60")

    def free() -> bool:
        with stream(THIRD) as again:
            return again.status_code == 200

    poll_until(free, "the places of those that ended")
    assert refusals(sessions.url.removesuffix("/mcp"), "too_many_streams") >= 2
    for client, each in opened.items():
        assert sessions.in_session(httpx.delete, client, each) == 200
