"""The sandbox against the sample replies of the service: the same fields, with values of the same types.

Only shapes are compared. The samples are not part of the repository; without them the test is skipped.
"""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.faults import Fault
from libraries_io_mcp.sandbox.keys import KNOWN_KEY

SAMPLES = Path(__file__).parents[3] / "shared" / "libraries-io-samples"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not beside the checkout")

# Fields that may be null, by the notes on the service. Where a sample has null and the sandbox a value, the type is
# given here; "*" means that the shape varies at the service.
NULLABLE: dict[str, type | str] = {
    "bio": str,
    "blog": str,
    "code_of_conduct_url": str,
    "company": str,
    "contribution_guidelines_url": str,
    "created_at": str,
    "default_branch": str,
    "default_language": str,
    "dependencies": list,
    "deprecated": bool,
    "deprecation_reason": str,
    "description": str,
    "download_url": str,
    "email": str,
    "filepath": str,
    "fork": bool,
    "fork_policy": str,
    "funding_urls": list,
    "has_audit": str,
    "has_changelog": str,
    "has_coc": str,
    "has_contributing": str,
    "has_license": str,
    "has_readme": str,
    "has_threat_model": str,
    "homepage": str,
    "host_domain": str,
    "kind": str,
    "language": str,
    "last_synced_at": str,
    "latest": str,
    "latest_download_url": str,
    "latest_release_number": str,
    "latest_release_published_at": str,
    "latest_stable": str,
    "latest_stable_release_number": str,
    "latest_stable_release_published_at": str,
    "license": str,
    "licenses": str,
    "location": str,
    "logo_url": str,
    "mirror_url": str,
    "name": str,
    "normalized_licenses": list,
    "original_license": "*",
    "outdated": bool,
    "package_manager_url": str,
    "pull_requests_enabled": str,
    "pushed_at": str,
    "repository_license": str,
    "repository_status": str,
    "repository_url": str,
    "requirements": str,
    "researched_at": str,
    "security_policy_url": str,
    "source_name": str,
    "spdx_expression": str,
    "status": str,
    "updated_at": str,
}

GETS = [
    ("platforms.json", "/platforms"),
    ("project.json", "/pypi/httpx"),
    ("project_scoped.json", "/npm/@babel%2Fcore"),
    ("project_minimal.json", "/pypi/sandbox-bare"),
    ("dependencies.json", "/npm/express/5.1.0/dependencies"),
    ("dependencies_minimum.json", "/npm/express/5.1.0/dependencies?subset=minimum"),
    ("dependents.json", "/npm/express/dependents"),
    ("dependent_repositories.json", "/npm/debug/dependent_repositories"),
    ("contributors.json", "/npm/express/contributors"),
    ("sourcerank.json", "/npm/express/sourcerank"),
    ("search.json", "/search?q=http"),
    ("search_empty.json", "/search?q=nothing-has-this-name"),
    ("search_without_versions.json", "/search?q=http&include_versions=false"),
    ("github_repository.json", "/github/psf/requests"),
    ("github_repository_with_readme.json", "/github/psf/requests?include_readme=true"),
    ("github_repository_dependencies.json", "/github/expressjs/express/dependencies"),
    ("github_repository_projects.json", "/github/facebook/react/projects"),
    ("github_repository_shields_dependencies.json", "/github/expressjs/express/shields_dependencies"),
    ("user.json", "/github/contributor-001"),
    ("organisation.json", "/github/pallets"),
    ("user_repositories.json", "/github/pallets/repositories"),
    ("user_projects.json", "/github/pallets/projects"),
    ("user_project_contributions.json", "/github/contributor-001/project-contributions"),
    ("user_repository_contributions.json", "/github/contributor-001/repository-contributions"),
    ("user_dependencies.json", "/github/pallets/dependencies"),
    ("subscription_not_subscribed.json", "/subscriptions/npm/express"),
    ("tree.json", "/npm/express/tree"),
]

UNREACHED = {
    "406_not_acceptable.json": "no question that the client puts leads there",
    "422_unprocessable.json": "no question that the client puts leads there",
}
"""Errors that the service's code has and the sandbox does not."""
ILLUSTRATIVE = {"404_unrouted.html", "502_gateway.html"}
"""The exact text of these is not known: status and type are compared."""
FAULTS = {
    "429_rate_limited.txt": "rate_limited",
    "502_gateway.html": "bad_gateway_slow",
    "503_read_only.json": "read_only",
}
"""Errors that the sandbox shows when it is told to."""
ERRORS = [
    ("400_missing_repository_param.json", 400, "/github/repository?name=x"),
    ("403_invalid_api_key.txt", 403, "/npm/axios?api_key=wrong"),
    ("403_key_required_or_not_permitted.json", 403, "/versions"),
    ("404_empty.txt", 404, "/npm/axios/1.9.0/dependencies?subset=x"),
    ("404_not_found.json", 404, "/npm/no-such-package"),
    ("404_unrouted.html", 404, "/npm/@babel/core"),
    ("429_rate_limited.txt", 429, "/npm/axios"),
    ("500_internal.json", 500, "/search?page=101&per_page=100"),
    ("502_gateway.html", 502, "/npm/axios/dependent_repositories"),
    ("503_read_only.json", 503, "/subscriptions/npm/axios"),
]

EXCHANGES = {
    "list reply with pagination": "/npm/react/contributors?page=2&per_page=30",
    "single object": "/npm/axios",
    "conditional GET, unchanged": "/npm/axios",
    "name not in canonical form": "/pypi/Requests",
    "anonymous": "/npm/axios",
    "rate limited with a key": "/npm/axios",
    "rate limited without a key": "/npm/axios",
    "unknown or revoked key": "/npm/axios",
    "key required, none sent": "/search?q=http",
    "unknown project, platform, user, repository or version": "/npm/no-such-package-example",
    "slash in the name not encoded, Accept */*": "/npm/@babel/core",
    "search window passed": "/search?q=http&per_page=100&page=101",
    "slow query cut off by the load balancer": "/npm/express/dependent_repositories",
    "dependents switched off": "/npm/express/dependents",
    "not subscribed": "/subscriptions/npm/express",
    "unsubscribed": "/subscriptions/npm/express",
}
"""What leads the sandbox to the exchanges of the samples."""
STANDARD = {"cache-control", "content-length", "content-type", "date", "etag", "server", "vary", "x-request-id"}
"""Headers that say nothing about the case, and may be there without being in the sample."""


def asking(*faults: Fault, limit: int = 1000) -> httpx.AsyncClient:
    app = create_app(keys={KNOWN_KEY: limit}, anonymous_limit=min(limit, 10), faults=faults)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox.test/api")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with asking() as client:
        yield client


def with_key(path: str) -> str:
    return path if "api_key=" in path else f"{path}{'&' if '?' in path else '?'}api_key={KNOWN_KEY}"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def differences(expected: Any, actual: Any, place: str = "$") -> list[str]:
    """Where the shapes differ. Of a list, every item is held against one sample that stands for all."""
    field = place.rsplit(".", 1)[-1].removesuffix("[]")
    if expected is None or actual is None:
        return [] if expected is actual else null_difference(field, actual if expected is None else expected, place)
    if type(expected) is not type(actual) and NULLABLE.get(field) != "*":
        return [f"{place}: {type(actual).__name__} instead of {type(expected).__name__}"]
    if isinstance(expected, dict):
        return dict_differences(expected, actual, place)
    if isinstance(expected, list) and expected:
        return [text for item in actual for text in differences(expected[0], item, f"{place}[]")]
    return []


def values(found: Any, place: str = "$") -> Iterator[tuple[str, Any]]:
    """Every value that is neither null nor empty, with its place."""
    if found not in (None, [], {}):
        yield place, found
    for name, value in found.items() if isinstance(found, dict) else ():
        yield from values(value, f"{place}.{name}")
    for value in found if isinstance(found, list) else ():
        yield from values(value, f"{place}[]")


def dict_differences(expected: dict[str, Any], actual: dict[str, Any], place: str) -> list[str]:
    missing = [f"{place}.{name} is missing" for name in expected if name not in actual]
    extra = [f"{place}.{name} is not the service's" for name in actual if name not in expected]
    common = [name for name in expected if name in actual]
    return (
        missing
        + extra
        + [text for name in common for text in differences(expected[name], actual[name], f"{place}.{name}")]
    )


def null_difference(field: str, value: Any, place: str) -> list[str]:
    """One side is null: allowed where the service may say null, for values of the type that it has otherwise."""
    if field in NULLABLE and (NULLABLE[field] == "*" or isinstance(value, NULLABLE[field])):
        return []
    return [f"{place}: null and {type(value).__name__}"]


@pytest.mark.parametrize(("name", "path"), GETS)
async def test_replies_have_the_fields_of_the_samples(client: httpx.AsyncClient, name: str, path: str):
    reply = await client.get(with_key(path))
    assert reply.status_code == 200
    assert differences(sample(name), reply.json()) == []


@pytest.mark.parametrize(("name", "path"), GETS)
async def test_no_list_of_the_samples_is_compared_with_an_empty_one(client: httpx.AsyncClient, name: str, path: str):
    actual = {place for place, _ in values((await client.get(with_key(path))).json())}
    lists = {place for place, value in values(sample(name)) if isinstance(value, list)}
    assert lists - actual == set()


async def test_check(client: httpx.AsyncClient):
    body = {"projects": [{"platform": "npm", "name": "axios"}, {"platform": "pypi", "name": "sandbox-example"}]}
    reply = await client.post(with_key("/check"), json=body)
    assert set(body) == set(sample("check_request.json"))
    assert len(reply.json()) == 2
    assert differences(sample("check.json"), reply.json()) == []


async def test_bulk_dependencies(client: httpx.AsyncClient):
    asked = [
        {"platform": "npm", "name": "express", "version": "5.1.0"},
        {"platform": "rubygems", "name": "no-such-package"},
        {"platform": "pypi", "name": "sandbox-not-fetched"},
    ]
    reply = await client.post(with_key("/projects/dependencies"), json={"subset": "minimum", "projects": asked})
    for expected, actual in zip(sample("projects_dependencies_bulk.json"), reply.json(), strict=True):
        assert differences(expected, actual) == []


async def test_subscriptions(client: httpx.AsyncClient):
    path = with_key("/subscriptions/npm/express")
    created = await client.post(path)
    assert differences(sample("subscription.json"), created.json()) == []
    again = await client.post(path)
    assert differences(sample("subscription_already_exists.json"), again.json()) == []
    listed = await client.get(with_key("/subscriptions"))
    assert differences(sample("subscriptions.json"), listed.json()) == []


def test_no_error_and_no_exchange_is_forgotten():
    assert {path.name for path in (SAMPLES / "errors").iterdir()} == {name for name, *_ in ERRORS} | set(UNREACHED)
    assert {one["case"] for one in sample("exchanges.json")} == set(EXCHANGES)


@pytest.mark.parametrize(("name", "status", "path"), ERRORS)
async def test_errors_have_the_bodies_of_the_samples(name: str, status: int, path: str):
    faults = [Fault(FAULTS[name], delay=0.0)] if name in FAULTS else []
    async with asking(*faults) as client:
        reply = await client.get(with_key(path))
    expected = (SAMPLES / "errors" / name).read_text(encoding="utf-8")
    assert reply.status_code == status
    if name in ILLUSTRATIVE:
        assert reply.headers["content-type"].startswith("text/html")
        assert ("<html" in reply.text, "<html" in expected) == (True, True)
    elif name.endswith(".json"):
        assert reply.json() == json.loads(expected)
    else:
        assert reply.text == expected


async def _exchanged(case: str) -> httpx.Response:
    """The reply of the sandbox in the situation of a sample."""
    path, method, headers, limit = EXCHANGES[case], "GET", {}, 1 if case.startswith("rate limited") else 1000
    faults = [Fault("bad_gateway_slow", delay=0.0)] if case.startswith("slow query") else []
    anonymous = case in {"anonymous", "rate limited without a key", "key required, none sent"}
    if case == "unknown or revoked key":
        path += "?api_key=wrong"
    url = path if anonymous else with_key(path)
    async with asking(*faults, limit=limit) as client:
        if case.startswith("rate limited"):
            await client.get(url)
        if case.startswith("conditional"):
            headers["if-none-match"] = (await client.get(url)).headers["etag"]
        if case == "unsubscribed":
            method = "DELETE"
            await client.post(url)
        return await client.request(method, url, headers=headers)


@pytest.mark.parametrize("case", list(EXCHANGES))
async def test_exchanges_have_the_status_the_headers_and_the_shape_of_the_samples(case: str):
    exchange = next(one for one in sample("exchanges.json") if one["case"] == case)
    reply = await _exchanged(case)
    assert reply.status_code == exchange["status"]
    expected = {name.lower(): value for name, value in exchange["headers"].items()}
    assert set(expected) <= set(reply.headers)
    assert set(reply.headers) - set(expected) <= STANDARD
    assert reply.headers.get("content-type", "").lower() == expected.get("content-type", "").lower()
    if "location" in expected:
        assert reply.headers["location"] == f"http://sandbox.test/api/pypi/requests?api_key={KNOWN_KEY}"
    body = exchange["body_file"]
    if body is None:
        assert reply.content == b""
    elif body.endswith(".json"):
        assert differences(sample(body), reply.json()) == []
