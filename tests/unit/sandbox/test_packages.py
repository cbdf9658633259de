"""The routes of one package."""

import httpx
import pytest

from libraries_io_mcp.sandbox.keys import KNOWN_KEY


async def test_a_package(client: httpx.AsyncClient):
    reply = await client.get("/pypi/httpx")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    body = reply.json()
    assert body["name"] == "httpx"
    assert body["platform"] == "Pypi"
    assert body["latest_stable_release_number"] == "0.28.1"
    assert body["latest_release_published_at"].startswith("2024-12-06T")
    assert [version["number"] for version in body["versions"]] == ["0.27.0", "0.27.2", "0.28.0", "0.28.1"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/npm/@babel%2Fcore", "@babel/core"),
        ("/NPM/%40babel%2Fcore/", "@babel/core"),
        ("/go/github.com%2Fgin-gonic%2Fgin", "github.com/gin-gonic/gin"),
        ("/maven/org.springframework:spring-core", "org.springframework:spring-core"),
        ("/npm/socket.io", "socket.io"),
        ("/packagist/guzzlehttp%2Fguzzle", "guzzlehttp/guzzle"),
    ],
)
async def test_names_of_every_kind(client: httpx.AsyncClient, path: str, name: str):
    reply = await client.get(path)
    assert reply.json()["name"] == name


async def test_a_raw_slash_in_a_name_misses_the_api(client: httpx.AsyncClient):
    reply = await client.get("/npm/@babel/core")
    assert reply.status_code == 404
    assert reply.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/npm/no-such-package", "/nowhere/httpx", "/pypi/httpx/9.9.9/dependencies"])
async def test_unknown_names(client: httpx.AsyncClient, path: str):
    reply = await client.get(path)
    assert reply.status_code == 404
    assert reply.json() == {"error": "not found"}
    assert "x-ratelimit-limit" not in reply.headers


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/pypi/flask_cors", "/api/pypi/Flask-Cors"),
        ("/pypi/pydantic-core/sourcerank", "/api/pypi/pydantic_core/sourcerank"),
        ("/Pypi/FLASK", "/api/Pypi/Flask"),
        ("/npm/%40BABEL%2Fcore", "/api/npm/@babel%2Fcore"),
        ("/nuget/newtonsoft.json/dependents", "/api/nuget/Newtonsoft.Json/dependents"),
    ],
)
async def test_another_spelling_is_redirected_with_the_key(client: httpx.AsyncClient, path: str, location: str):
    reply = await client.get(path)
    assert reply.status_code == 302
    assert reply.headers["location"] == f"http://sandbox.test{location}?api_key={KNOWN_KEY}"
    assert reply.headers["x-ratelimit-limit"] == "1000"


async def test_dependencies_need_no_exact_spelling(client: httpx.AsyncClient):
    reply = await client.get("/pypi/FLASK/3.1.1/dependencies", params={"subset": "minimum"})
    assert reply.status_code == 200
    assert set(reply.json()) == {"name", "platform", "dependencies_for_version", "dependencies"}


async def test_dependencies_with_all_fields(client: httpx.AsyncClient):
    body = (await client.get("/pypi/fastapi/0.115.14/dependencies")).json()
    assert body["rank"] > 10
    by_name = {dependency["name"]: dependency for dependency in body["dependencies"]}
    assert by_name["starlette"]["outdated"] is True
    assert by_name["pydantic"]["outdated"] is False
    assert by_name["pydantic"]["latest_stable"] == "2.11.7"


async def test_a_dependency_that_is_not_indexed(client: httpx.AsyncClient):
    body = (await client.get("/npm/got/14.4.7/dependencies", params={"subset": "minimum"})).json()
    fields = ("latest", "latest_stable", "deprecated", "outdated", "normalized_licenses")
    assert {body["dependencies"][0][field] for field in fields} == {None}


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/npm/axios", "1.9.0"),
        ("/maven/org.assertj:assertj-core", "3.9.1"),
        ("/nuget/Newtonsoft.Json", "9.0.1"),
        ("/go/github.com%2Fgin-gonic%2Fgin", "v1.9.1"),
    ],
)
async def test_latest_goes_by_text(client: httpx.AsyncClient, path: str, number: str):
    body = (await client.get(f"{path}/latest/dependencies", params={"subset": "minimum"})).json()
    assert body["dependencies_for_version"] == number


async def test_another_subset_is_a_404_without_body(client: httpx.AsyncClient):
    reply = await client.get("/npm/axios/1.9.0/dependencies", params={"subset": "all"})
    assert (reply.status_code, reply.content) == (404, b"")


async def test_platforms_without_versions_and_without_dependencies(client: httpx.AsyncClient):
    assert (await client.get("/bower/jquery")).json()["versions"] == []
    assert (await client.get("/bower/jquery/latest/dependencies")).status_code == 404
    assert (await client.get("/cocoapods/Alamofire/5.10.2/dependencies")).json()["dependencies"] == []


async def test_a_package_with_hardly_a_field(client: httpx.AsyncClient):
    body = (await client.get("/pypi/sandbox-bare")).json()
    empty = (
        "description",
        "homepage",
        "language",
        "licenses",
        "repository_url",
        "latest_release_number",
        "funding_urls",
    )
    assert {body[field] for field in empty} == {None}
    assert (body["status"], body["versions"], body["rank"]) == ("Removed", [], 0)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/npm/request", "Deprecated"), ("/pypi/sklearn", "Deprecated"), ("/pypi/nose", "Unmaintained")],
)
async def test_statuses(client: httpx.AsyncClient, path: str, status: str):
    assert (await client.get(path)).json()["status"] == status


async def test_only_prereleases(client: httpx.AsyncClient):
    body = (await client.get("/pypi/opentelemetry-semantic-conventions")).json()
    assert (body["latest_release_number"], body["latest_stable_release_number"]) == ("0.55b1", None)


async def test_dependents_are_switched_off(client: httpx.AsyncClient):
    assert (await client.get("/npm/axios/dependents")).json() == {"message": "Disabled for performance reasons"}
    assert (await client.get("/npm/no-such/dependents")).status_code == 404


async def test_the_score_is_the_sum_of_its_parts(client: httpx.AsyncClient):
    parts = (await client.get("/npm/request/sourcerank")).json()
    assert len(parts) == 19
    assert parts["is_deprecated"] == -5
    assert sum(parts.values()) == (await client.get("/npm/request")).json()["rank"]


async def test_head_and_conditional_requests(client: httpx.AsyncClient):
    full = await client.get("/npm/axios")
    head = await client.head("/npm/axios")
    assert head.content == b""
    assert head.headers["content-length"] == full.headers["content-length"]
    again = await client.get("/npm/axios", headers={"If-None-Match": full.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-remaining"] == "997"


async def test_a_package_with_very_many_versions(client: httpx.AsyncClient):
    body = (await client.get("/npm/sandbox-many-versions")).json()
    assert len(body["versions"]) == 600
    assert body["latest_stable_release_number"] == "1.599.0"
    latest = await client.get("/npm/sandbox-many-versions/latest/dependencies", params={"subset": "minimum"})
    assert latest.json()["dependencies_for_version"] == "1.99.0"
