"""What people try on an HTTP server, on real sockets: each is refused with the documented answer, others are served.

The slow and large ones are in `tests/e2e/test_attacks.py`, logins in `test_authentication.py`, the operator's routes in
`test_access.py`.
"""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastmcp import Client
from tests.support.command import HTTP, Running
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.raw_http import STATUS, connect, exchange, rest

pytestmark = pytest.mark.anyio
OURS: Final = "https://ours.example"
LIMITS: Final = {
    "MCP_HEADER_SECONDS": "2",
    "MCP_BODY_SECONDS": "2",
    "MCP_MAX_REQUEST_BYTES": "1000000",
    "MCP_MAX_HEADER_BYTES": "16384",
    "MCP_MAX_CONNECTIONS": "40",
    "MCP_ALLOWED_ORIGINS": OURS,
    "OTEL_METRICS_EXPORTER": "prometheus",
}
INITIALIZE: Final = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
ACCEPT: Final = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
HIDDEN: Final = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""A request inside of another one: answering it would be the success of the attack."""


@pytest.fixture(scope="module")
def server(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    given = {"LIBRARIES_IO_BASE_URL": sandbox_url, **LIMITS}
    with Running(*HTTP, folder=tmp_path_factory.mktemp("server"), **given) as running:
        yield running


@pytest.fixture(scope="module")
def base(server: Running) -> str:
    return server.url.removesuffix("/mcp")


def refusals(base: str, reason: str) -> float:
    """How many the server has counted."""
    label = f'libraries_io_refusal_reason="{reason}"'
    for line in httpx.get(f"{base}/metrics", timeout=HANG_SECONDS).text.splitlines():
        if line.startswith("libraries_io_http_refusals") and label in line:
            return float(line.rpartition(" ")[2])
    return 0.0


def post(head: str, body: bytes = b"") -> bytes:
    return f"POST /mcp HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode() + body


SMUGGLED: Final = {
    "both lengths": post(f"Content-Length: {len(HIDDEN) + 5}\r\nTransfer-Encoding: chunked", b"0\r\n\r\n" + HIDDEN),
    "both lengths, other order": post("Transfer-Encoding: chunked\r\nContent-Length: 5", b"0\r\n\r\n" + HIDDEN),
    "two lengths": post(f"Content-Length: 0\r\nContent-Length: {len(HIDDEN)}", HIDDEN),
    "the same length twice": post("Content-Length: 0\r\nContent-Length: 0", HIDDEN),
    "lengths in a list": post("Content-Length: 0, 0", HIDDEN),
    "signed length": post("Content-Length: +0", HIDDEN),
    "negative length": post("Content-Length: -1", HIDDEN),
    "hexadecimal length": post("Content-Length: 0x0", HIDDEN),
    "folded header": post("Content-Length: 0\r\nX-Folded: a\r\n Transfer-Encoding: chunked", HIDDEN),
    "folded length": post("Content-Length:\r\n 0", HIDDEN),
    "bare line feed": b"GET /health HTTP/1.1\nHost: localhost\n\n" + HIDDEN,
    "one bare line feed": post("X-One: a\nContent-Length: 0", HIDDEN),
    "bare carriage return": post("X-One: a\rContent-Length: 0", HIDDEN),
    "space before the colon": post("Transfer-Encoding : chunked", b"0\r\n\r\n" + HIDDEN),
    "unknown coding": post("Transfer-Encoding: xchunked", b"0\r\n\r\n" + HIDDEN),
    "two codings": post("Transfer-Encoding: chunked, identity", b"0\r\n\r\n" + HIDDEN),
    "two coding headers": post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"0\r\n\r\n" + HIDDEN),
    "vertical tab in the coding": post("Transfer-Encoding: \x0bchunked", b"0\r\n\r\n" + HIDDEN),
    "chunks in HTTP/1.0": b"POST /mcp HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "zero byte in a header": post("X-Zero: a\0b\r\nContent-Length: 0", HIDDEN),
    "zero byte in a name": post("X\0: a\r\nContent-Length: 0", HIDDEN),
    "no colon": post("Content-Length 0", HIDDEN),
    "two hosts": post("Host: evil.example\r\nContent-Length: 0", HIDDEN),
    "no host": b"GET /health HTTP/1.1\r\n\r\n" + HIDDEN,
    "space in the target": b"GET /health x HTTP/1.1\r\nHost: localhost\r\n\r\n" + HIDDEN,
    "signed chunk": post("Transfer-Encoding: chunked", b"+0\r\n\r\n" + HIDDEN),
    "hexadecimal chunk": post("Transfer-Encoding: chunked", b"0x0\r\n\r\n" + HIDDEN),
    "endless chunk size": post("Transfer-Encoding: chunked", b"f" * 40 + b"\r\n" + HIDDEN),
    "bare line feed after a chunk size": post("Transfer-Encoding: chunked", b"0\n\n" + HIDDEN),
    "chunk longer than said": post("Transfer-Encoding: chunked", b"1\r\nab\r\n0\r\n\r\n" + HIDDEN),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40 + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_what_can_be_read_in_two_ways_is_refused(base: str, name: str):
    statuses, received = exchange(base, SMUGGLED[name])
    # Refused once, and nothing that came after it is answered.
    assert statuses == [400], received
    assert b"healthy" not in received
    assert b"Traceback" not in received


def test_refusals_are_counted_by_reason(base: str):
    before = refusals(base, "malformed")
    exchange(base, SMUGGLED["both lengths"])
    assert refusals(base, "malformed") == before + 1


@pytest.mark.parametrize("size", [20_000, 200_000])
def test_heads_that_are_too_large(base: str, size: int):
    statuses, received = exchange(base, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Large: " + b"x" * size)
    # The client may be cut off while it still sends, before it sees why.
    assert statuses in ([431], []), received
    many = b"".join(b"X-%d: x\r\n" % number for number in range(size // 10))
    statuses, received = exchange(base, b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + many + b"\r\n")
    assert statuses in ([431], []), received
    assert refusals(base, "headers_too_large") >= 2


def test_bodies_that_are_too_large(server: Running, base: str):
    announced = post("Content-Length: 1000001\r\nContent-Type: application/json")
    with connect(base) as connection:
        connection.sendall(announced)
        # Not a byte of it has to be sent.
        assert STATUS.findall(connection.recv(65_536)) == [b"413"]
    huge = json.dumps({**INITIALIZE, "padding": "x" * 1_000_000})

    def parts() -> Iterator[bytes]:
        for start in range(0, len(huge), 10_000):
            yield huge[start : start + 10_000].encode()

    for content in (huge.encode(), parts()):
        answer = httpx.post(server.url, content=content, headers=ACCEPT, timeout=HANG_SECONDS)
        assert answer.status_code == 413
        assert answer.json()["error"] == "body_too_large"
        assert "MCP_MAX_REQUEST_BYTES" in answer.json()["what_to_do"]
    assert refusals(base, "body_too_large") >= 3


@pytest.mark.parametrize("depth", [65, 1_000, 400_000])
def test_json_that_is_too_deep(server: Running, base: str, depth: int):
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        times = min(depth, 900_000 // len(opening + closing))
        body = opening * times + "1" + closing * times
        answer = httpx.post(server.url, content=body, headers=ACCEPT, timeout=HANG_SECONDS)
        assert (answer.status_code, answer.json()["error"]) == (400, "json_too_deep")


def test_depth_inside_of_a_text_is_none(server: Running):
    request = {**INITIALIZE, "params": {**INITIALIZE["params"], "_meta": {"note": '\\"[{' * 10_000}}}
    answer = httpx.post(server.url, json=request, headers=ACCEPT, timeout=HANG_SECONDS)
    assert answer.status_code == 200


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[]", b"1", b'"id"', b"null", b'{"id": NaN}', b"[" * 64])
def test_bodies_that_are_no_requests(server: Running, body: bytes):
    answer = httpx.post(server.url, content=body, headers=ACCEPT, timeout=HANG_SECONDS)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


async def test_slow_clients_are_cut_off_while_others_are_served(server: Running, base: str):
    slow = {
        "nothing at all": (b"", b""),
        "half a head": (b"GET /health HTTP/1.1\r\nHost: loc", b"HTTP/1.1 408"),
        "half a body": (post("Content-Length: 100\r\nContent-Type: application/json", b'{"id":'), b"HTTP/1.1 408"),
        "half a chunk": (post("Transfer-Encoding: chunked", b"5\r\nab"), b"HTTP/1.1 408"),
    }
    connections = {name: connect(base) for name in slow}
    for name, connection in connections.items():
        connection.sendall(slow[name][0])
    async with Client(server.url) as client:
        assert await client.list_tools()
    for name, connection in connections.items():
        with connection:
            answer = rest(connection)
        # Who has sent nothing is closed without a word, or with one.
        assert answer.startswith(slow[name][1]), (name, answer)
        assert answer.startswith(b"HTTP/1.1 408") or not answer, (name, answer)
    assert refusals(base, "slow_headers") >= 2
    assert refusals(base, "slow_body") >= 2


async def test_idle_connections_make_room(server: Running, base: str):
    idle = [connect(base) for _ in range(100)]
    try:
        async with Client(server.url) as client:
            assert await client.list_tools()
        assert refusals(base, "too_many_connections") >= 60
    finally:
        for connection in idle:
            connection.close()


def closed(connection: socket.socket) -> bool:
    """Whether the other end has closed."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


TRICKS: Final = (
    "/..%2f{0}", "/%2e%2e/{0}", "/./{0}", "//{0}", "/{0}/", "/{0}%00", "/{0}%2f", "/{0}%20", "/{0};x=1", "/{0}/..;/",
    "/%2f{0}", "/x/../{0}", "/x/%2e%2e/{0}", "/{0}\\", "/{0}%5c", "/{0}%0d%0aX-Injected:%201", "http://localhost/{0}",
    "http://evil.example/{0}", "/{0}%252e", "/%c0%ae/{0}", "*",
)  # fmt: skip
ROUTES: Final = ("mcp", "metrics", "status", "status/events", "alerts", "alerts/history", "health", "health/ready",
                 "health/detailed", "health/metrics", "health/alerting")  # fmt: skip
FAR: Final = "X-Forwarded-For: 203.0.113.9\r\n"


@pytest.mark.parametrize("route", ROUTES)
def test_no_trick_with_a_path_leads_anywhere(base: str, route: str):
    tricks = [trick.format(route) for trick in TRICKS] + [f"/{route.upper()}", f"/%{ord(route[0]):02X}{route[1:]}x"]
    for target in tricks:
        head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{FAR}Connection: close\r\n\r\n"
        statuses, received = exchange(base, head.encode("latin-1"))
        assert len(statuses) == 1, (target, received)
        # 307 is the router's way of dropping a slash at the end: it leads to the guarded route.
        assert statuses[0] in (307, 400, 403, 404, 405), (target, received)
        assert b"x-injected" not in received.lower(), target
        assert b"libraries_io_" not in received, target


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.nip.io", "0"]
)
def test_rebound_names_are_refused_on_the_mcp_route(server: Running, host: str):
    answer = httpx.post(server.url, json=INITIALIZE, headers={**ACCEPT, "Host": host}, timeout=HANG_SECONDS)
    assert answer.status_code == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{OURS}.evil.example", "https://ours.example:444"])
def test_pages_of_others_may_neither_ask_nor_read(server: Running, origin: str):
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for answer in (
        httpx.options(server.url, headers=preflight, timeout=HANG_SECONDS),
        httpx.post(server.url, json=INITIALIZE, headers={**ACCEPT, "Origin": origin}, timeout=HANG_SECONDS),
    ):
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_pages_that_are_allowed_may(server: Running):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    preflight = httpx.options(server.url, headers={"Origin": OURS, **asked}, timeout=HANG_SECONDS)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == OURS
    assert "Mcp-Session-Id" in preflight.headers["access-control-allow-headers"]
    answer = httpx.post(server.url, json=INITIALIZE, headers={**ACCEPT, "Origin": OURS}, timeout=HANG_SECONDS)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == OURS
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/mcp", "/health", "/status", "/metrics", "/alerts", "/nothing"])
def test_browsers_are_told_what_not_to_do(base: str, path: str):
    for headers in ({}, {"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        answer = httpx.get(base + path, headers=headers, timeout=HANG_SECONDS)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_the_server_is_well_after_all_this(server: Running, base: str):
    async with Client(server.url) as client:
        result = await client.call_tool("get_quota_status", {})
    content: dict[str, Any] = result.structured_content
    assert content
    log = server.stderr
    assert "Traceback" not in log
    assert "Exception in ASGI application" not in log
    poll_until(lambda: httpx.get(f"{base}/health", timeout=HANG_SECONDS).status_code == 200, "the server to answer")


def test_connections_at_once_may_all_be_busy(sandbox_url: str, tmp_path: Path):
    given = {"LIBRARIES_IO_BASE_URL": sandbox_url, "MCP_MAX_CONNECTIONS": "1"}
    with Running(*HTTP, folder=tmp_path, **given) as server:
        base = server.url.removesuffix("/mcp")
        with connect(base) as first:
            first.sendall(b"GET /health HTTP/1.1\r\nHost: loc")
            with connect(base) as second:
                # The first one keeps the server waiting, so it goes.
                assert closed(first)
                second.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert STATUS.findall(rest(second)) == [b"200"]
