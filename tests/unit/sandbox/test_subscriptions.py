"""Subscriptions and their quirks."""

import httpx


async def test_the_life_of_a_subscription(client: httpx.AsyncClient):
    path = "/subscriptions/npm/axios"
    before = await client.get(path)
    assert (before.status_code, before.content) == (200, b"null")
    created = await client.post(path, json={"include_prerelease": False})
    assert (created.status_code, created.json()["include_prerelease"]) == (200, True)
    assert (await client.get(path)).json()["created_at"] == "2025-06-15T15:20:00.000Z"
    assert (await client.post(path)).json()["created_at"] is None
    assert (await client.put(path, json={"include_prerelease": False})).json()["include_prerelease"] is True
    assert [one["project"]["name"] for one in (await client.get("/subscriptions")).json()] == ["axios"]
    removed = await client.delete(path)
    assert (removed.status_code, removed.content) == (204, b"")
    assert removed.headers["x-ratelimit-limit"] == "1000"
    assert (await client.get("/subscriptions")).json() == []


async def test_not_subscribed(client: httpx.AsyncClient):
    assert (await client.put("/subscriptions/npm/axios")).status_code == 500
    assert (await client.delete("/subscriptions/npm/axios")).status_code == 500
    assert (await client.get("/subscriptions/npm/no-such-package")).status_code == 404


async def test_a_dot_ends_the_name_unless_it_is_encoded(client: httpx.AsyncClient):
    assert (await client.post("/subscriptions/npm/socket.io")).status_code == 404
    assert (await client.post("/subscriptions/npm/socket%2Eio")).json()["project"]["name"] == "socket.io"


async def test_the_old_spelling_of_the_path(client: httpx.AsyncClient):
    assert (await client.get("/subscription/npm/axios")).content == b"null"


async def test_another_spelling_of_the_name_is_redirected(client: httpx.AsyncClient):
    reply = await client.post("/subscriptions/pypi/flask")
    assert reply.status_code == 302
    assert "/api/subscriptions/pypi/Flask?" in reply.headers["location"]


async def test_each_key_has_its_own(client: httpx.AsyncClient, anonymous: httpx.AsyncClient):
    await client.post("/subscriptions/npm/axios")
    assert (await anonymous.get("/subscriptions", params={"api_key": "few"})).json() == []
    assert (await anonymous.get("/subscriptions")).status_code == 403


async def test_routes_for_the_services_own_keys(client: httpx.AsyncClient):
    for path in ("/versions", "/projects/updated", "/npm/axios/sync", "/github/axios/axios/sync"):
        assert (await client.get(path)).status_code == 403
