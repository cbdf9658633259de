"""Each fault on a real socket, as a client meets it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.connections import Connections
from libraries_io_mcp.sandbox.faults import FAULT_NAMES, parse_fault
from libraries_io_mcp.sandbox.keys import KNOWN_KEY
from libraries_io_mcp.sandbox.server import serving


@asynccontextmanager
async def sandbox(fault: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a sandbox with that fault."""
    connections = Connections()
    app = create_app(faults=[parse_fault(fault)], connections=connections)
    async with (
        serving(app, connections) as url,
        httpx.AsyncClient(base_url=url, params={"api_key": KNOWN_KEY}, timeout=HANG_SECONDS) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("fault", "status", "start", "limited"),
    [
        ("accepted", 202, "", True),
        ("forbidden_text", 403, "Forbidden\n", False),
        ("forbidden_json", 403, '{"error":"Error 403', True),
        ("not_found", 404, '{"error":"not found"}', False),
        ("server_error", 500, '{"error":"internal server error"}', False),
        ("read_only", 503, '{"error":"Error 503', True),
        ("html", 200, "<!DOCTYPE html>", False),
        ("null", 200, "null", True),
        ("rate_limited", 429, "Retry later\n", True),
        ("rate_limited_bare", 429, "Retry later\n", False),
        ("bad_gateway_slow:delay=0.05", 502, "<html>", False),
    ],
)
async def test_replies(fault: str, status: int, start: str, limited: bool):
    async with sandbox(fault) as client:
        reply = await client.get("/npm/axios")
    assert reply.status_code == status
    assert reply.text.startswith(start)
    assert ("x-ratelimit-limit" in reply.headers) is limited


async def test_accepted_says_when_to_ask_again_and_the_answer_comes():
    async with sandbox("accepted:delay=3:count=1") as client:
        first, second = await client.get("/npm/axios/tree"), await client.get("/npm/axios/tree")
    assert (first.headers["retry-after"], first.content) == ("3", b"")
    assert second.status_code == 200


async def test_rate_limited_says_how_long():
    async with sandbox("rate_limited") as client:
        reply = await client.get("/npm/axios")
    assert reply.headers["retry-after"] == reply.headers["x-ratelimit-reset"]
    assert reply.headers["x-ratelimit-remaining"] == "0"
    assert "content-type" not in reply.headers


async def test_redirect_leads_back_to_the_same_url():
    async with sandbox("redirect:count=1") as client:
        reply = await client.get("/npm/axios", follow_redirects=True)
    assert reply.json()["name"] == "axios"
    assert f"api_key={KNOWN_KEY}" in reply.history[0].headers["location"]


async def test_redirect_without_end():
    async with sandbox("redirect") as client:
        with pytest.raises(httpx.TooManyRedirects):
            await client.get("/npm/axios", follow_redirects=True)


async def test_timeout():
    async with sandbox("timeout") as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/npm/axios", timeout=httpx.Timeout(HANG_SECONDS, read=0.05))


async def test_reset_breaks_the_connection():
    async with sandbox("reset:count=1") as client:
        with pytest.raises(httpx.ReadError):
            await client.get("/npm/axios")
        assert (await client.get("/npm/axios")).status_code == 200


async def test_truncated_ends_before_its_length():
    async with sandbox("truncated:count=1") as client:
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            await client.get("/npm/axios")
        assert (await client.get("/npm/axios")).status_code == 200


async def test_slow_body_comes_in_pieces():
    async with sandbox("slow_body:delay=0.01") as client, client.stream("GET", "/npm/axios") as reply:
        pieces = [piece async for piece in reply.aiter_raw()]
    assert len(pieces) > 1
    assert b'"name":"axios"' in b"".join(pieces)


async def test_slow_body_outlasts_an_impatient_client():
    async with sandbox("slow_body:delay=30") as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/npm/axios", timeout=httpx.Timeout(HANG_SECONDS, read=0.05))


async def test_huge():
    async with sandbox("huge:size=300000") as client:
        reply = await client.get("/npm/axios")
    assert "content-length" not in reply.headers
    assert len(reply.json()["description"]) == 300_000


async def test_wrong_types():
    async with sandbox("wrong_types") as client:
        package = (await client.get("/npm/axios")).json()
        found = (await client.get("/search", params={"q": "axios"})).json()
        parts = (await client.get("/npm/axios/sourcerank")).json()
    assert isinstance(package["name"], int)
    assert isinstance(package["versions"], dict)
    assert isinstance(found[0]["rank"], str)
    assert parts["stars"] == "about 5"


async def test_a_waiting_request_does_not_keep_the_server():
    connections = Connections()
    app = create_app(faults=[parse_fault("timeout")], connections=connections)
    async with httpx.AsyncClient(timeout=HANG_SECONDS) as client:
        async with serving(app, connections) as url:
            waiting = asyncio.create_task(client.get(f"{url}/npm/axios"))
            async with asyncio.timeout(HANG_SECONDS):
                while (await client.get(url.replace("/api", "/_sandbox/requests"))).json()["total"] == 0:
                    pass
        # The fault would have waited an hour; the end of the server ends it.
        assert (await waiting).status_code == 502


async def test_faults_are_switched_on_and_off_while_it_runs():
    connections = Connections()
    app = create_app(connections=connections)
    async with serving(app, connections) as url, httpx.AsyncClient(timeout=HANG_SECONDS) as client:
        control = url.replace("/api", "/_sandbox/faults")
        added = await client.post(control, json={"name": "server_error", "path": "/api/npm/*", "count": 5})
        assert added.status_code == 200
        assert (await client.get(f"{url}/npm/axios")).status_code == 500
        assert (await client.get(f"{url}/pypi/httpx")).status_code == 200
        assert (await client.get(control)).json()["faults"][0]["struck"] == 1
        assert (await client.post(control, json={"name": "explode"})).status_code == 400
        assert (await client.post(control, content=b"{")).status_code == 400
        assert (await client.delete(control)).json() == {"faults": []}
        assert (await client.get(f"{url}/npm/axios")).status_code == 200


def test_no_fault_is_without_a_test():
    text = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in FAULT_NAMES if f'"{name}' not in text] == []
