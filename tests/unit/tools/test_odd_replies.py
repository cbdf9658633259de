"""Each leaf of each reply changed in eight ways: the answer comes, and what hung on the leaf is unknown, nothing else.

The replies are those of the sandbox, cut to a few items. What may not come is an answer without identity or container.
"""

import copy
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.support.in_process import reply, tools_on

from libraries_io_mcp.librariesio.models import Sourcerank

pytestmark = pytest.mark.anyio
MISSING = object()
CHANGES: dict[str, object] = {
    "null": None, "missing": MISSING, "string": "odd", "number": 7.5, "list": [["odd"]], "object": {"odd": 1},
    "huge number": 10**40, "other date": "9 April 2018",
}  # fmt: skip
IDENTITY = {
    "name", "platform", "full_name", "host_type", "project_name", "number", "status", "dependencies_for_version",
    "dependency", "version", "dependencies",
}  # fmt: skip
"""What names a thing or holds it: without it the thing, or the whole answer, may be gone."""
PROJECT: dict[str, Any] = {
    "name": "left-pad", "platform": "NPM", "description": "String left pad", "homepage": "https://pad.example",
    "language": "JavaScript", "licenses": "MIT", "normalized_licenses": ["MIT"], "status": "Deprecated",
    "deprecation_reason": "use padStart", "rank": 17, "stars": 1301, "forks": 211, "dependents_count": 502,
    "dependent_repos_count": 9003, "latest_release_number": "1.3.0",
    "latest_release_published_at": "2018-04-09T01:29:44.000Z", "latest_stable_release_number": "1.3.0",
    "latest_stable_release_published_at": "2018-04-09T01:29:44.000Z", "repository_url": "https://github.com/a/left-pad",
    "repository_status": "Unmaintained", "keywords": ["pad", "string"], "contributions_count": 12,
    "security_policy_url": "https://pad.example/security",
    "versions": [
        {"number": "1.3.0", "published_at": "2018-04-09T01:29:44.000Z", "spdx_expression": "MIT"},
        {"number": "1.2.0", "published_at": "2017-04-09T01:29:44.000Z", "spdx_expression": "MIT"},
    ],
}  # fmt: skip
REPOSITORY: dict[str, Any] = {
    "full_name": "a/left-pad", "host_type": "GitHub", "description": "pad", "language": "JavaScript", "license": "mit",
    "status": "Active", "keywords": ["pad"], "default_branch": "main", "created_at": "2014-04-09T01:29:44.000Z",
    "pushed_at": "2018-04-09T01:29:44.000Z", "last_synced_at": "2025-04-09T01:29:44.000Z", "size": 44,
    "stargazers_count": 1301, "forks_count": 211, "open_issues_count": 13, "subscribers_count": 45,
    "contributions_count": 12, "rank": 9, "fork": False, "has_readme": "README.md",
}  # fmt: skip
DEPENDENCY = {
    "name": "wordwrap", "platform": "NPM", "requirements": "^1.0.0", "kind": "runtime", "optional": False,
    "latest_stable": "1.0.1", "outdated": True, "deprecated": True, "normalized_licenses": ["MIT"],
}  # fmt: skip
DEPENDENCIES = {
    "name": "left-pad",
    "platform": "NPM",
    "dependencies_for_version": "1.3.0",
    "dependencies": [DEPENDENCY],
}
RANK = dict.fromkeys(Sourcerank.model_fields, 1)
TREE = {
    "version": {"number": "1.3.0"}, "requirements": None, "dependency": {"platform": "NPM", "project_name": "left-pad"},
    "normalized_licenses": ["MIT"],
    "dependencies": [
        {"version": {"number": "1.0.1"}, "requirements": "^1", "normalized_licenses": ["ISC"], "dependencies": [],
         "dependency": {"platform": "NPM", "project_name": "wordwrap", "kind": "runtime"}},
    ],
}  # fmt: skip
PERSON = {"login": "ada", "user_type": "User", "host_type": "GitHub", "name": "Ada", "company": "x", "location": "y"}
PACKAGE = {"platform": "npm", "name": "left-pad"}
CHECKED = {**PROJECT, "canonical_name": "left-pad", "keywords": "pad"}
MANY = {"packages": [PACKAGE, {**PACKAGE, "name": "b"}]}
CHECKS = [CHECKED, {**CHECKED, "name": "b"}]
CASES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "get_package_info": ("/NPM/left-pad", PACKAGE, PROJECT),
    "get_package_versions": ("/NPM/left-pad", PACKAGE, PROJECT),
    "get_package_dependents": ("/NPM/left-pad", PACKAGE, PROJECT),
    "get_package_dependencies": ("/NPM/left-pad/1.3.0/dependencies", {**PACKAGE, "version": "1.3.0"}, DEPENDENCIES),
    "get_dependency_tree": ("/NPM/left-pad/1.3.0/tree", {**PACKAGE, "version": "1.3.0"}, TREE),
    "get_sourcerank": ("/NPM/left-pad/sourcerank", PACKAGE, RANK),
    "get_package_contributors": ("/NPM/left-pad/contributors", PACKAGE, [PERSON, {**PERSON, "login": "bob"}]),
    "compare_packages": ("/check", MANY, CHECKS),
    "search_packages": ("/search", {"query": "left-pad"}, [PROJECT, {**PROJECT, "name": "b"}]),
    "get_repository": ("/github/a/left-pad", {"host": "github", "owner": "a", "name": "left-pad"}, REPOSITORY),
    "audit_dependencies": (
        "/check", {**MANY, "include_all": True}, CHECKS,
    ),
}  # fmt: skip


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values but the outermost one."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from leaves(inner, (*path, step))


def changed(value: Any, path: tuple[Any, ...], new: object) -> Any:
    """A copy with one value changed, or taken out."""
    document = copy.deepcopy(value)
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    if new is MISSING:
        del holder[path[-1]]
    else:
        holder[path[-1]] = new
    return document


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Path, old and new value of whatever differs."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from differences(old.get(key), new.get(key), f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for before, after in zip(old, new, strict=True):
            yield from differences(before, after, f"{path}[]")
    elif old != new:
        yield path, old, new


@pytest.mark.parametrize("tool", CASES)
async def test_what_hangs_on_an_odd_value_is_unknown_and_nothing_else_differs(tool: str):
    path, arguments, whole = CASES[tool]
    body, asked = [whole], [0]

    def answer(request: httpx.Request) -> httpx.Response:
        there = re.sub(r"left-pad-\d+", "left-pad", request.url.path.removeprefix("/api"))
        plenty = {"x-ratelimit-limit": "1000000", "x-ratelimit-remaining": "999999"}
        # Named as asked, so that the names of a batch are found again.
        named = json.loads(json.dumps(body[0]).replace("left-pad", f"left-pad-{asked[0]}"))
        return reply(named, **plenty) if there == path else reply({"error": "not found"}, 404, **plenty)

    async with tools_on(answer) as client:

        async def ask() -> tuple[bool, dict[str, Any], str]:
            # Another name each time, since answers are kept.
            asked[0] += 1
            these = json.loads(json.dumps(arguments).replace("left-pad", f"left-pad-{asked[0]}"))
            result = await client.call_tool(tool, these, raise_on_error=False)
            plain = json.loads(re.sub(r"left-pad-\d+", "left-pad", json.dumps(result.structured_content or {})))
            return result.is_error, plain, result.content[0].text

        await _try_all(tool, whole, body, ask)


async def _try_all(
    tool: str, whole: Any, body: list[Any], ask: Callable[[], Awaitable[tuple[bool, dict[str, Any], str]]]
) -> None:
    failed, good, _ = await ask()
    assert not failed
    count = 0
    for leaf in leaves(whole):
        fields = {step for step in leaf if isinstance(step, str)}
        for name, new in CHANGES.items():
            if isinstance(leaf[-1], int) and new is MISSING:
                continue
            body[0] = changed(whole, leaf, new)
            failed, odd, text = await ask()
            count += 1
            about = (tool, leaf, name, text[:200])
            if failed:
                assert odd["error_type"] in {"invalid_reply", "not_found"}, about
                assert fields & IDENTITY or len(leaf) == 1, about
                continue
            assert odd["provenance"]["endpoint"] == good["provenance"]["endpoint"], about
            was_read = name in {"string", "other date", "number"} and not odd["provenance"]["unreadable"]
            for place, old, now in differences(good, odd):
                if place.endswith(".unknown"):
                    continue  # a list of what is unknown
                if place.startswith(".provenance") or was_read or fields & IDENTITY:
                    continue
                lost_item = isinstance(old, list) and isinstance(now, list | None) and len(now or ()) <= len(old) + 1
                # A number is never another number, but where things of a kind are counted; a text says it in words.
                counted = isinstance(old or 0, int) and isinstance(now, int) and ("count" in place or "total" in place)
                words = isinstance(now, str | bool) or (isinstance(old, dict) and isinstance(now, dict))
                assert now is None or lost_item or counted or words, (*about, place, old, now)
    assert count > 100
