"""Who counts as near, by the address of the connection. tests/contract/test_access.py has the rest, on sockets."""

from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from libraries_io_mcp.http.access import GuardOperatorRoutes, guarded

pytestmark = pytest.mark.anyio


async def inner(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def status(client: tuple[str, int] | None, *networks: str, path: str = "/metrics", **more: Any) -> int:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "client": client, **more}
    await GuardOperatorRoutes(inner, verify=None, networks=networks)(scope, receive, send)
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("127.0.0.1", (), 204),
        ("127.9.9.9", (), 204),
        ("::1", (), 204),
        ("::ffff:127.0.0.1", (), 204),
        ("10.1.2.3", (), 403),
        ("::ffff:10.1.2.3", (), 403),
        ("10.1.2.3", ("10.0.0.0/8",), 204),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), 204),
        ("11.1.2.3", ("10.0.0.0/8",), 403),
        ("fd00::1", ("fd00::/8",), 204),
        ("127.0.0.1", ("10.0.0.0/8",), 204),
        ("localhost", (), 403),
        ("", (), 403),
    ],
)
async def test_near_and_far(address: str, networks: tuple[str, ...], expected: int):
    assert await status((address, 1), *networks) == expected


async def test_a_client_without_an_address_is_far():
    assert await status(None) == 403


async def test_forwarded_requests_are_far_whatever_the_network():
    for name in (b"forwarded", b"x-forwarded-for", b"x-real-ip"):
        assert await status(("10.1.2.3", 1), "10.0.0.0/8", headers=[(name, b"10.1.2.3")]) == 403


async def test_other_routes_and_connections_pass():
    assert await status(("203.0.113.9", 1), path="/mcp", method="POST") == 204
    assert await status(("203.0.113.9", 1), type="websocket") == 204


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/health", False),
        ("/health/ready", False),
        ("/health/ready/x", True),
        ("/health/", True),
        ("/healthy", False),
        ("/metrics", True),
        ("/metricsx", False),
        ("/status/feed", True),
        ("/alerts/1/resolve", True),
        ("/mcp", False),
    ],
)
def test_which_routes_are_the_operators(path: str, expected: bool):
    assert guarded(path) is expected
