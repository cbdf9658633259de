"""The answers about one package: what becomes of nulls, how text and structure agree, what is asked."""

from typing import Any

import httpx
import jsonschema
import pytest
from fastmcp import Client
from tests.support.in_process import reply, tools_on

pytestmark = pytest.mark.anyio
BARE = {"name": "left-pad", "platform": "NPM"}
FULL = {
    **BARE,
    "description": "String left pad",
    "status": "Deprecated",
    "deprecation_reason": "use String.prototype.padStart()",
    "licenses": "WTFPL",
    "normalized_licenses": ["WTFPL"],
    "latest_release_number": "1.4.0-beta",
    "latest_stable_release_number": "1.3.0",
    "latest_stable_release_published_at": "2018-04-09T01:12:36.000Z",
    "homepage": "",
    "repository_url": "https://github.com/left-pad/left-pad",
    "language": "JavaScript",
    "keywords": ["leftpad", "pad"],
    "stars": 1200,
    "forks": 90,
    "rank": 20,
    "dependents_count": 500,
    "dependent_repos_count": 90000,
    "contributions_count": 12,
    "versions": [
        {"number": f"1.{minor}.0", "published_at": f"2016-03-{minor + 10}T00:00:00.000Z"} for minor in range(14)
    ],
}


async def ask(client: Client, tool: str, **arguments: Any) -> tuple[dict[str, Any], str]:
    """Structure and text of an answer; the structure is what the tool's schema promises."""
    answer = await client.call_tool(tool, arguments, raise_on_error=False)
    (text,) = answer.content
    if not answer.is_error:
        (schema,) = [listed.output_schema for listed in await client.list_tools() if listed.name == tool]
        jsonschema.validate(answer.structured_content, schema)
    return answer.structured_content, text.text


async def test_a_package():
    async with tools_on(lambda _: reply(FULL)) as client:
        facts, text = await ask(client, "get_package_info", platform="npm", name="left-pad")
    assert facts["status"] == "Deprecated"
    assert facts["licenses"] == ["WTFPL"]
    assert facts["latest_stable"] == "1.3.0"
    assert facts["latest"] == "1.4.0-beta"
    assert facts["homepage"] is None
    assert facts["versions_count"] == 14
    assert [version["number"] for version in facts["recent_versions"]] == [f"1.{n}.0" for n in range(13, 3, -1)]
    provenance = facts["provenance"]
    assert (provenance["endpoint"], provenance["source"]) == ("/{platform}/{name}", "network")
    assert provenance["fetched_at"].startswith("2025-06-15T15:20:20")
    assert provenance["quota_remaining"] == 59
    assert text.startswith("NPM/left-pad: String left pad\nStatus: Deprecated: use String.prototype.padStart()\n")
    assert "Latest stable: 1.3.0 of 2018-04-09; versions: 14" in text
    assert "{" not in text
    assert len(text) < 600


async def test_what_is_not_known_stays_null():
    """Null is neither 0 nor an empty text, in the structure as well as in words."""
    async with tools_on(lambda _: reply(BARE | {"rank": None, "description": None})) as client:
        facts, text = await ask(client, "get_package_info", platform="npm", name="left-pad")
    for name in ("description", "status", "license_text", "latest_stable", "latest", "homepage", "language", "rank"):
        assert facts[name] is None, name
    assert (facts["licenses"], facts["recent_versions"], facts["keywords"]) == ([], None, None)
    assert "Licence: unknown" in text
    assert "SourceRank: unknown" in text
    assert "None" not in text


async def test_the_name_is_asked_as_one_segment():
    asked: list[httpx.URL] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return reply(BARE)

    async with tools_on(handler) as client:
        await ask(client, "get_package_info", platform="pip", name="@a/b c%2F?x#y")
    assert asked[0].raw_path.split(b"?")[0] == b"/api/Pypi/%40a%2Fb%20c%252F%3Fx%23y"


@pytest.mark.parametrize(("platform", "stored"), [("NPM", "NPM"), (" PyPI ", "Pypi"), ("gem", "Rubygems")])
async def test_any_spelling_of_a_platform_is_one_request(platform: str, stored: str):
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return reply(BARE)

    async with tools_on(handler) as client:
        await ask(client, "get_package_info", platform=platform, name="x")
    assert asked == [f"/api/{stored}/x"]


async def test_a_platform_newer_than_our_list():
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/platforms":
            return reply([{"name": "Zig"}, {"name": "NPM"}])
        return reply(BARE | {"platform": "Zig"})

    async with tools_on(handler) as client:
        facts, _ = await ask(client, "get_package_info", platform="zig", name="x")
        assert facts["platform"] == "Zig"
        facts, text = await ask(client, "get_package_info", platform="zigg", name="x")
    assert (facts["error_type"], facts["suggestions"][0]) == ("not_found", "Zig")
    assert "Did you mean: Zig" in text


async def test_a_question_that_the_service_refuses_without_a_word():
    async with tools_on(lambda _: reply({"x": ["is required"]}, 400)) as client:
        facts, _ = await ask(client, "get_package_info", platform="npm", name="x")
    assert facts["error_type"] == "invalid_request"
    assert "does not say which" in facts["next_step"]


async def test_a_platform_when_the_list_can_not_be_had():
    async with tools_on(lambda _: reply({"error": "x"}, 500)) as client:
        facts, _ = await ask(client, "get_package_info", platform="npmm", name="x")
    assert facts["error_type"] == "not_found"
    assert "NPM" in facts["suggestions"]


DEPENDENCY = {"name": "a", "platform": "NPM", "requirements": "^1.0", "kind": "runtime"}


def versions(*, stable: str | None = "2.0.0", newest: str | None = "3.0.0-rc1", dependencies: Any = ()):
    """A service with one package."""

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/dependencies"):
            version = request.url.path.split("/")[-2]
            listed = {**BARE, "dependencies_for_version": version, "dependencies": list(dependencies)}
            return reply(listed)
        return reply(BARE | {"latest_stable_release_number": stable, "latest_release_number": newest})

    return handler


async def test_dependencies():
    outdated = DEPENDENCY | {"latest_stable": "2.0", "outdated": True, "deprecated": True, "normalized_licenses": []}
    async with tools_on(versions(dependencies=[DEPENDENCY, outdated])) as client:
        facts, text = await ask(client, "get_package_dependencies", platform="npm", name="left-pad", version="1.0.0")
    first, second = facts["dependencies"]
    assert (first["outdated"], first["deprecated"], first["latest_stable"], first["licenses"]) == (None,) * 4
    assert (second["outdated"], second["deprecated"], second["licenses"]) == (True, True, [])
    assert facts["version"] == "1.0.0"
    assert text.splitlines()[:3] == [
        "NPM/left-pad 1.0.0: 2 dependencies",
        "a ^1.0 (runtime; not indexed)",
        "a ^1.0 (runtime; newest 2.0) OUTDATED DEPRECATED",
    ]


@pytest.mark.parametrize("given", [{}, {"version": None}, {"version": "latest"}])
async def test_without_a_version_it_is_the_newest_stable_one(given: dict[str, Any]):
    async with tools_on(versions()) as client:
        facts, _ = await ask(client, "get_package_dependencies", platform="npm", name="left-pad", **given)
    assert facts["version"] == "2.0.0"


async def test_without_a_stable_version_it_is_the_newest_one():
    async with tools_on(versions(stable=None)) as client:
        facts, _ = await ask(client, "get_package_dependencies", platform="npm", name="left-pad")
    assert facts["version"] == "3.0.0-rc1"


async def test_a_package_without_any_version():
    async with tools_on(versions(stable=None, newest=None)) as client:
        facts, _ = await ask(client, "get_package_dependencies", platform="npm", name="left-pad")
    assert facts["error_type"] == "not_found"


async def test_an_empty_list_says_what_it_can_mean():
    async with tools_on(versions()) as client:
        facts, text = await ask(client, "get_package_dependencies", platform="npm", name="left-pad", version="1")
    assert facts["dependencies"] == []
    assert facts["note"]
    assert facts["note"] in text
