"""Lists longer than the budget, from a service that has them: cut, followed to the end, nothing lost or doubled."""

import json
from typing import Any

import httpx
import jsonschema
import pytest
from tests.support.in_process import reply, tools_on

from libraries_io_mcp.answer.cutting import BUDGET_TOKENS, CHARACTERS_A_TOKEN

pytestmark = pytest.mark.anyio
PACKAGE = {"platform": "npm", "name": "monster"}
REPOSITORY = {"host": "github", "owner": "big", "name": "monster"}
PAGED = {
    "dependent_repositories": lambda number: {
        "full_name": f"big/{number}",
        "host_type": "GitHub",
        "description": "d" * 400,
    },
    "subscriptions": lambda number: {
        "include_prerelease": True,
        "created_at": None,
        "updated_at": None,
        "project": {"platform": "NPM", "name": f"p{number}"},
    },
    "search": lambda number: {"platform": "NPM", "name": f"p{number}", "keywords": ["web"], "description": "d" * 300},
}


def dependency(number: int) -> dict[str, Any]:
    return {"name": f"d{number}", "platform": "NPM", "requirements": "^1", "kind": "runtime" if number % 2 else "dev"}


def node(name: str, *children: dict[str, Any]) -> dict[str, Any]:
    dependency = {"platform": "NPM", "project_name": name, "kind": "runtime"}
    return {
        "version": {"number": "1.0.0"},
        "requirements": "^1",
        "dependency": dependency,
        "normalized_licenses": ["MIT"],
        "dependencies": list(children),
    }


def tree() -> dict[str, Any]:
    """A root, 30 branches of 20 leaves each, and the first branch again."""
    branches = [node(f"b{b}", *(node(f"b{b}l{leaf}") for leaf in range(20))) for b in range(30)]
    return node("monster", *branches, node("b0"))


def service(request: httpx.Request) -> httpx.Response:
    """One package and one repository that have very much of everything."""
    last = request.url.path.rstrip("/").split("/")[-1]
    if last in PAGED:
        page, per_page = int(request.url.params["page"]), int(request.url.params["per_page"])
        items = [PAGED[last](number) for number in range(100)][(page - 1) * per_page : page * per_page]
        return reply(items, total="100")
    if last == "tree":
        return reply(tree())
    if last == "dependencies":
        version = {"dependencies_for_version": "1.0.0", "name": "monster", "platform": "NPM"}
        return reply(
            {
                **version,
                "full_name": "big/monster",
                "host_type": "GitHub",
                "dependencies": [dependency(n) for n in range(500)],
            }
        )
    return reply({"name": "monster", "platform": "NPM", "latest_stable_release_number": "1.0.0", "keywords": ["web"]})


@pytest.mark.parametrize(
    ("tool", "listed", "arguments", "count"),
    [
        ("get_package_dependencies", "dependencies", PACKAGE, 500),
        ("get_package_dependencies", "dependencies", {**PACKAGE, "kind": "DEV", "version": "1.0.0"}, 250),
        ("get_dependency_tree", "nodes", PACKAGE, 632),
        ("get_dependency_tree", "nodes", {**PACKAGE, "max_depth": 1}, 32),
        ("get_dependency_tree", "nodes", {**PACKAGE, "max_nodes": 7}, 632),
        ("get_repository_dependencies", "dependencies", REPOSITORY, 500),
        ("get_package_dependents", "repositories", {**PACKAGE, "repositories": True}, 100),
        ("find_alternatives", "alternatives", PACKAGE, 100),
        ("track_package_updates", "subscriptions", {"action": "list"}, 100),
        ("search_packages", "packages", {"query": "x", "per_page": 100}, 100),
        ("get_popular_packages", "packages", {}, 100),
    ],
)
async def test_a_long_list_is_followed_to_its_end(tool: str, listed: str, arguments: dict[str, Any], count: int):
    found: list[str] = []
    async with tools_on(service) as client:
        (schema,) = [each.output_schema for each in await client.list_tools() if each.name == tool]
        cursor: str | None = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            answer = await client.call_tool(tool, {**arguments, **more})
            facts = answer.structured_content
            jsonschema.validate(facts, schema)
            assert (
                len(json.dumps(facts, ensure_ascii=False, separators=(",", ":"))) <= BUDGET_TOKENS * CHARACTERS_A_TOKEN
            )
            assert facts[listed]
            found += [json.dumps(item) for item in facts[listed]]
            cursor = facts["cursor"]
            assert facts["truncated"] is (cursor is not None)
            assert facts["left_out"] == count - len(found)
            if cursor is None:
                break
            assert cursor in answer.content[0].text
    assert len(found) == count
    assert len(set(found)) == count


async def test_a_tree_tells_what_it_holds_and_what_it_does_not_show():
    async with tools_on(service) as client:
        answer = await client.call_tool("get_dependency_tree", {**PACKAGE, "max_depth": 1})
    facts = answer.structured_content
    assert facts["packages_count"] == 631
    assert facts["license_counts"] == {"MIT": 631}
    assert facts["note"].startswith("600 of 632 places")
    assert [each["name"] for each in facts["nodes"] if each["seen_before"]] == ["b0"]
    assert "(see above)" in answer.content[0].text


async def test_what_the_most_places_leave_out_is_marked():
    async with tools_on(service) as client:
        answer = await client.call_tool("get_dependency_tree", {**PACKAGE, "max_nodes": 3})
    facts = answer.structured_content
    assert len(facts["nodes"]) == 3
    assert (facts["truncated"], facts["left_out"]) == (True, 629)
    assert facts["cursor"] in answer.content[0].text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"platform": "cocoapods"}, "Libraries.io holds no dependencies for CocoaPods: unknown, not none."),
        ({}, "None declared, or Libraries.io has not read them yet: it does not say which."),
        ({"kind": "peer"}, "None of kind peer, or there is no such kind: Libraries.io does not say which."),
    ],
)
async def test_a_tree_of_one_package_says_what_it_can_mean(given: dict[str, str], says: str):
    async with tools_on(lambda _: reply(node("lonely"))) as client:
        answer = await client.call_tool("get_dependency_tree", {"platform": "npm", "name": "lonely", **given})
    assert answer.structured_content["note"] == says
    assert answer.content[0].text.startswith(f"{answer.structured_content['platform']}/lonely 1.0.0: 1 package.")
    assert says in answer.content[0].text


async def test_a_kind_that_no_dependency_has():
    async with tools_on(service) as client:
        answer = await client.call_tool("get_package_dependencies", {**PACKAGE, "kind": "peer"})
    assert answer.structured_content["dependencies"] == []
    assert answer.structured_content["note"] == "None of kind peer; its kinds are: dev, runtime."


async def test_a_list_that_changed_between_two_calls_is_refused():
    count = 500

    def changing(request: httpx.Request) -> httpx.Response:
        dependencies = [dependency(number) for number in range(count)]
        version = {"dependencies_for_version": "1.0.0", "name": "monster", "platform": "NPM"}
        return reply({**version, "dependencies": dependencies})

    question = {**PACKAGE, "version": "1.0.0"}
    async with tools_on(changing) as client:
        first = await client.call_tool("get_package_dependencies", question)
    count = 400
    async with tools_on(changing) as client:
        cursor = first.structured_content["cursor"]
        answer = await client.call_tool(
            "get_package_dependencies", {**question, "cursor": cursor}, raise_on_error=False
        )
    assert answer.structured_content["error_type"] == "invalid_request"
    assert "has changed" in answer.structured_content["message"]
