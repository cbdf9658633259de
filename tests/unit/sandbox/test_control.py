"""The control routes."""

from typing import Any

import httpx

from libraries_io_mcp.sandbox.keys import KNOWN_KEY


async def test_requests_are_counted_by_template_and_status(client: httpx.AsyncClient, anonymous: httpx.AsyncClient):
    for name in ("axios", "got", "no-such-package"):
        await client.get(f"/npm/{name}")
    report = (await anonymous.get("http://sandbox.test/_sandbox/requests")).json()
    assert report["total"] == 3
    assert report["answers"] == [
        {"method": "GET", "path": "/api/{platform}/{name}", "status": 200, "count": 2},
        {"method": "GET", "path": "/api/{platform}/{name}", "status": 404, "count": 1},
    ]


async def test_keys_are_masked(client: httpx.AsyncClient, anonymous: httpx.AsyncClient):
    await client.get("/npm/axios", params={"page": "1"})
    reply = await anonymous.get("http://sandbox.test/_sandbox/requests")
    assert KNOWN_KEY not in reply.text
    assert reply.json()["recent"][0]["url"].startswith("/api/npm/axios?api_key=***")


async def test_the_log_can_be_cleared(client: httpx.AsyncClient):
    await client.get("/npm/axios")
    assert (await client.delete("http://sandbox.test/_sandbox/requests")).json()["total"] == 0


async def test_only_callers_on_this_machine(app: Any):
    transport = httpx.ASGITransport(app=app, client=("192.0.2.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
        assert (await client.get("/_sandbox/requests")).status_code == 403
