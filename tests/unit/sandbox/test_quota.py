"""The rate limit and the keys."""

from typing import Any

import httpx


async def test_an_unknown_key_is_forbidden_everywhere(anonymous: httpx.AsyncClient):
    for path in ("/npm/axios", "/nowhere/at/all/today"):
        reply = await anonymous.get(path, params={"api_key": "wrong"})
        assert (reply.status_code, reply.text) == (403, "Forbidden\n")
        assert reply.headers["content-type"] == "text/plain"
        assert "x-ratelimit-limit" not in reply.headers


async def test_windows_are_aligned_to_the_clock(anonymous: httpx.AsyncClient, clock: Any):
    clock.seconds += 45
    replies = [await anonymous.get("/npm/axios", params={"api_key": "few"}) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert [reply.headers["x-ratelimit-remaining"] for reply in replies] == ["1", "0", "0"]
    assert replies[2].text == "Retry later\n"
    assert "content-type" not in replies[2].headers
    assert replies[2].headers["retry-after"] == replies[2].headers["x-ratelimit-reset"] == "15"
    clock.seconds += 15
    assert (await anonymous.get("/npm/axios", params={"api_key": "few"})).status_code == 200


async def test_errors_count_too_but_carry_no_headers(anonymous: httpx.AsyncClient):
    statuses = [(await anonymous.get("/npm/nope", params={"api_key": "few"})).status_code for _ in range(3)]
    assert statuses == [404, 404, 429]


async def test_without_a_key_ten_an_hour(anonymous: httpx.AsyncClient):
    replies = [await anonymous.get("/npm/axios") for _ in range(11)]
    assert [reply.status_code for reply in replies] == [200] * 10 + [429]
    assert replies[10].headers["retry-after"] == "2400"


async def test_an_empty_key_shares_a_bucket_and_may_not_search(app: Any):
    statuses = []
    for address in ("10.0.0.1", "10.0.0.2"):
        transport = httpx.ASGITransport(app=app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test/api") as client:
            replies = [await client.get("/search", params={"api_key": ""}) for _ in range(6)]
            statuses += [reply.status_code for reply in replies]
    assert statuses == [403] * 10 + [429] * 2
