"""The requests about many packages."""

import httpx
import pytest


async def test_check_answers_for_what_it_finds(client: httpx.AsyncClient):
    asked = [
        {"platform": "pypi", "name": "flask_cors"},
        {"platform": "npm", "name": "no-such-package"},
        {"platform": "npm", "name": "axios"},
    ]
    body = (await client.post("/check", json={"projects": asked})).json()
    assert [(one["name"], one["canonical_name"]) for one in body] == [
        ("axios", "axios"),
        ("flask_cors", "Flask-Cors"),
    ]
    assert body[0]["keywords"] == "http,http-client,ajax,promise,xhr"


async def test_an_unknown_platform_fails_the_whole_check(client: httpx.AsyncClient):
    asked = [{"platform": "npm", "name": "axios"}, {"platform": "nowhere", "name": "axios"}]
    assert (await client.post("/check", json={"projects": asked})).status_code == 404


async def test_check_needs_a_key(anonymous: httpx.AsyncClient):
    assert (await anonymous.post("/check", json={"projects": []})).status_code == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"projects": {}}', b'{"projects": [{"name": 3}]}'])
@pytest.mark.parametrize("path", ["/check", "/projects/dependencies"])
async def test_a_body_that_makes_no_sense(client: httpx.AsyncClient, path: str, body: bytes):
    reply = await client.post(path, content=body)
    assert (reply.status_code, reply.content) == (404, b"")


async def test_dependencies_of_many(anonymous: httpx.AsyncClient):
    asked = [
        {"platform": "rubygems", "name": "sinatra", "version": "4.1.1"},
        {"platform": "npm", "name": "axios"},
        {"platform": "pypi", "name": "sandbox-not-fetched"},
        {"platform": "nowhere", "name": "axios", "version": "1.0.0"},
    ]
    body = (await anonymous.post("/projects/dependencies", json={"subset": "minimum", "projects": asked})).json()
    assert [one["status"] for one in body] == [200, 200, 200, 404]
    assert body[1]["body"]["dependencies_for_version"] == "1.9.0"
    assert body[2]["body"]["dependencies"] is None
    assert body[3]["body"] == {
        "error": "Error 404, project or project version not found.",
        "platform": "nowhere",
        "name": "axios",
        "dependencies_for_version": "1.0.0",
    }


async def test_another_subset(client: httpx.AsyncClient):
    reply = await client.post("/projects/dependencies", json={"subset": "all", "projects": []})
    assert (reply.status_code, reply.content) == (404, b"")


async def test_not_fetched_is_an_empty_list_when_asked_alone(client: httpx.AsyncClient):
    reply = await client.get("/pypi/sandbox-not-fetched/1.0.0/dependencies")
    assert reply.json()["dependencies"] == []
