"""Repositories."""

import httpx
import pytest


async def test_a_repository_in_any_spelling(client: httpx.AsyncClient):
    body = (await client.get("/GitHub/PSF/Requests")).json()
    assert body["full_name"] == "psf/requests"
    assert body["github_id"] == body["uuid"]
    assert body["has_readme"] == "README.md"
    assert "readme_html_body" not in body


async def test_names_with_dots(client: httpx.AsyncClient):
    assert (await client.get("/github/socketio/socket.io")).json()["name"] == "socket.io"


async def test_the_readme_on_request(client: httpx.AsyncClient):
    body = (await client.get("/github/psf/requests", params={"include_readme": "true"})).json()
    assert body["readme_html_body"].startswith("<h1>")


@pytest.mark.parametrize("path", ["/github/psf/nothing", "/gitlab/psf/requests", "/github/nobody/requests/projects"])
async def test_unknown_repositories(client: httpx.AsyncClient, path: str):
    assert (await client.get(path)).json() == {"error": "not found"}


async def test_by_query(client: httpx.AsyncClient):
    found = await client.get("/github/repository", params={"owner": "psf", "name": "requests"})
    assert found.json()["full_name"] == "psf/requests"
    missing = await client.get("/github/repository", params={"name": "requests"})
    assert (missing.status_code, missing.json()) == (400, {"owner": ["is required"]})


async def test_dependencies_of_all_published_packages(client: httpx.AsyncClient):
    body = (await client.get("/github/rails/rails/dependencies")).json()
    names = {dependency["name"] for dependency in body["dependencies"]}
    assert body["full_name"] == "rails/rails"
    assert {"actionpack", "nokogiri", "minitest"} <= names


async def test_two_counts_for_a_badge(client: httpx.AsyncClient):
    counts = (await client.get("/github/expressjs/express/shields_dependencies")).json()
    assert set(counts) == {"deprecated_count", "outdated_count"}
    assert counts["outdated_count"] >= 1
    assert counts["deprecated_count"] == 0


async def test_packages_of_a_repository(client: httpx.AsyncClient):
    reply = await client.get("/github/facebook/react/projects", params={"sort": "rank", "per_page": "2"})
    assert [package["name"] for package in reply.json()] == ["react", "react-dom"]
    assert reply.headers["total"] == "3"
    assert (await client.get("/github/facebook/react/projects", params={"sort": "size"})).status_code == 500


async def test_dependent_repositories(client: httpx.AsyncClient):
    names = [one["full_name"] for one in (await client.get("/npm/debug/dependent_repositories")).json()]
    assert "expressjs/express" in names
