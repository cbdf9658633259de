"""What people try on an HTTP server, on real sockets: each is refused with the documented answer, others are served.

The slow and large ones are in `tests/e2e/test_attacks.py`, logins in `test_authentication.py`, the operator's routes in
`test_access.py`.
"""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastmcp import Client
from tests.support.command import HTTP, Running
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.raw_http import (
    ACCEPT,
    SMUGGLED,
    STATUS,
    address,
    ask_package,
    connect,
    exchange,
    post,
    refusals,
    rest,
)
from tests.support.stand_in import CANARY
from tests.support.upstream import Upstream

pytestmark = pytest.mark.anyio
OURS: Final = "https://ours.example"
LIMITS: Final = {
    "MCP_HEADER_SECONDS": "3",
    "MCP_BODY_SECONDS": "3",
    "MCP_SEND_SECONDS": "2",
    "MCP_MAX_REQUEST_BYTES": "1000000",
    "MCP_MAX_HEADER_BYTES": "16384",
    "MCP_MAX_CONNECTIONS": "40",
    "MCP_MAX_PIPELINED_REQUESTS": "1000",
    "MCP_ALLOWED_ORIGINS": OURS,
    "OTEL_METRICS_EXPORTER": "prometheus",
}
INITIALIZE: Final = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture(scope="module")
def server(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    given = {"LIBRARIES_IO_BASE_URL": sandbox_url, **LIMITS}
    with Running(*HTTP, folder=tmp_path_factory.mktemp("server"), **given) as running:
        yield running


@pytest.fixture(scope="module")
def base(server: Running) -> str:
    return server.url.removesuffix("/mcp")


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


@pytest.mark.parametrize("value", ["[]", "1", '""', '{"a":1}', "[" * 55 + "]" * 55])
def test_json_that_has_too_many_values(server: Running, base: str, value: str):
    before = refusals(base, "json_too_many_values")
    body = "[" + f"{value}," * (900_000 // (len(value) + 1)) + "1]"
    answer = httpx.post(server.url, content=body, headers=ACCEPT, timeout=HANG_SECONDS)
    assert (answer.status_code, answer.json()["error"]) == (400, "json_too_many_values")
    assert "MCP_MAX_JSON_VALUES" in answer.json()["what_to_do"]
    assert refusals(base, "json_too_many_values") == before + 1


def test_a_connection_goes_on_after_bodies_that_were_refused_early(server: Running):
    body = "[" + "1," * 400_000 + "1]"
    with httpx.Client(headers=ACCEPT, timeout=HANG_SECONDS) as client:
        assert [client.post(server.url, content=body).status_code for _ in range(20)] == [400] * 20


def test_names_that_nobody_knows_are_told_in_part(server: Running):
    long = "k" * 900_000
    many = {f"k{number}": 1 for number in range(9_000)}
    asked = {
        "an argument": ("tools/call", {"name": "get_package_info", "arguments": {long: 1}}),
        "many arguments": ("tools/call", {"name": "get_package_info", "arguments": many}),
        "a tool": ("tools/call", {"name": long, "arguments": {}}),
        "a prompt": ("prompts/get", {"name": long}),
        "a resource": ("resources/read", {"uri": f"package://{long}"}),
    }
    session = {"Mcp-Session-Id": httpx.post(server.url, json=INITIALIZE, headers=ACCEPT).headers["mcp-session-id"]}
    for name, (method, params) in asked.items():
        message = {"jsonrpc": "2.0", "id": 2, "method": method, "params": params}
        answer = httpx.post(server.url, json=message, headers={**ACCEPT, **session}, timeout=HANG_SECONDS)
        assert answer.status_code == 200, name
        assert len(answer.content) < 5_000, name


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


def test_who_does_not_read_the_answers_is_cut_off(base: str):
    with socket.socket() as connection:
        # Little room for what is not read, and more answers than any buffer on the way holds.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(HANG_SECONDS)
        connection.connect(address(base))
        connection.sendall(b"GET /status/status.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1_000)
        poll_until(lambda: refusals(base, "slow_reader") >= 1, "the reader to be cut off")


def test_who_asks_on_and_on_before_the_answers_is_cut_off(base: str):
    sent = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
    before = refusals(base, "pipelined")
    # The first one and 1,000 that were there too early are answered.
    statuses, received = exchange(base, sent * 1_002)
    assert statuses == [200] * 1_001 + [429]
    assert received.lower().count(b"connection: close") == 1
    assert refusals(base, "pipelined") == before + 1
    with connect(base) as connection:
        # Whoever waits for the answers now and then may go on.
        for _ in range(3):
            connection.sendall(sent * 600)
            received = b""
            while received.count(b"\r\n\r\n{") < 600:
                received += connection.recv(65_536)
            assert [int(status) for status in STATUS.findall(received)] == [200] * 600


async def test_idle_connections_make_room(server: Running, base: str):
    idle = [connect(base) for _ in range(100)]
    try:
        async with Client(server.url) as client:
            assert await client.list_tools()
        poll_until(lambda: refusals(base, "too_many_connections") >= 1, "some to be closed for others")
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


def test_one_caller_takes_no_place_of_another(upstream: Upstream, tmp_path: Path):
    given = {
        "LIBRARIES_IO_BASE_URL": upstream.base_url,
        "LIBRARIES_IO_API_KEY": CANARY,
        "LIBRARIES_IO_TIMEOUT_SECONDS": "300",
        "MCP_STATELESS": "true",
        "MCP_MAX_CONCURRENT_CALLS_PER_CALLER": "1",
    }
    ended: list[object] = []

    def hang() -> None:
        try:
            ended.append(ask_package(server.url, "203.0.113.1", "hang"))
        except httpx.HTTPError as error:
            ended.append(error)

    with Running(*HTTP, folder=tmp_path, **given) as server:
        thread = threading.Thread(target=hang)
        thread.start()
        upstream.wait_for("hang")
        refused = ask_package(server.url, "203.0.113.1", "good")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert refused.json()["error"] == "caller_busy"
        assert ask_package(server.url, "203.0.113.2", "good").status_code == 200
        assert ended == []
    thread.join(HANG_SECONDS)
