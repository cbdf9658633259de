"""Users, organisations and their lists."""

import httpx
import pytest


async def test_contributors_are_invented(client: httpx.AsyncClient):
    reply = await client.get("/npm/axios/contributors", params={"per_page": "5"})
    assert {person["login"].rstrip("0123456789") for person in reply.json()} == {"contributor-"}
    package = (await client.get("/npm/axios")).json()
    assert int(reply.headers["total"]) == package["contributions_count"]


async def test_no_repository_no_contributors(client: httpx.AsyncClient):
    assert (await client.get("/npm/got/contributors")).json() == []


async def test_a_page_past_the_end_and_an_absurd_one(client: httpx.AsyncClient):
    assert (await client.get("/npm/axios/contributors", params={"page": "9999"})).json() == []
    assert (await client.get("/npm/axios/contributors", params={"page": "9" * 30})).status_code == 404


async def test_large_pages_are_not_capped(client: httpx.AsyncClient):
    reply = await client.get("/npm/react/contributors", params={"per_page": "250"})
    assert len(reply.json()) == 250


async def test_users_and_organisations(client: httpx.AsyncClient):
    user = (await client.get("/github/Contributor-001")).json()
    organisation = (await client.get("/github/PALLETS")).json()
    assert (user["user_type"], organisation["user_type"]) == ("User", "Organisation")
    assert "followers" not in user
    assert organisation["followers"] == 0
    assert (await client.get("/github/contributor-999")).status_code == 404
    assert (await client.get("/bitbucket/pallets")).status_code == 404


async def test_lists_of_an_organisation(client: httpx.AsyncClient):
    repositories = (await client.get("/github/pallets/repositories")).json()
    assert {one["full_name"] for one in repositories} >= {"pallets/flask", "pallets/click"}
    packages = (await client.get("/github/pallets/projects", params={"keywords": "cli,wsgi"})).json()
    assert {one["name"] for one in packages} == {"Flask", "Werkzeug", "click"}
    needed = (await client.get("/github/pallets/dependencies", params={"platform": "pypi"})).json()
    assert needed[0]["name"] == "MarkupSafe"
    assert (await client.get("/github/pallets/dependencies", params={"platform": "nowhere"})).json() == []
    assert (await client.get("/github/pallets/dependencies", params={"page": "301"})).status_code == 404


@pytest.mark.parametrize("kind", ["project-contributions", "repository-contributions"])
async def test_contributions_are_for_users_only(client: httpx.AsyncClient, kind: str):
    assert (await client.get(f"/github/contributor-001/{kind}")).json() != []
    reply = await client.get(f"/github/pallets/{kind}")
    assert (reply.status_code, reply.json()) == (500, {"error": "internal server error"})
