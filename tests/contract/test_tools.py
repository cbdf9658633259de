"""Every tool through a real client, against the sandbox on a real socket: good, nothing found, wrong, failing, cut."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from tests.support.mcp_session import Faults, Session, session
from tests.support.polling import HANG_SECONDS
from tests.support.stand_in import CANARY, sandbox

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Case:
    """One tool: a question with a good answer, one about something unknown, a wrong one, and a path that can fail."""

    tool: str
    good: dict[str, Any]
    says: dict[str, Any]
    """Fields of the good answer."""
    requests: int
    fault: str
    unknown: dict[str, Any] | None = None
    empty: dict[str, Any] | None = None
    """A question whose true answer is an empty list."""
    listed: str = ""
    wrong: dict[str, Any] = field(default_factory=dict)
    names: str = "name"
    """What the error about the wrong question names."""

    def __str__(self) -> str:
        return self.tool


EXPRESS: Final = {"platform": "npm", "name": "express"}
NOBODY: Final = {"platform": "npm", "name": "nobody-has-written-this"}
PSF: Final = {"host": "github", "owner": "psf", "name": "requests"}
NOWHERE: Final = {"host": "github", "owner": "psf", "name": "nowhere"}
PARTS: Final = {"platform": "npm", "name": "sandbox-many-parts"}
WHOLE: Final = {"host": "github", "owner": "sandbox-many-parts", "name": "whole"}
STORED: Final = {"platform": "NPM", "name": "express"}

CASES: Final = [
    Case(
        "search_packages",
        {"query": "http client", "platforms": ["pip"]},
        {"page": 1, "per_page": 10},
        1,
        "/api/search",
        empty={"query": "nobody-has-written-this"},
        listed="packages",
        wrong={"query": "http", "per_page": 1000},
        names="per_page",
    ),
    Case(
        "get_popular_packages",
        {"platform": "cargo", "by": "stars"},
        {"page": 1},
        1,
        "/api/search",
        empty={"language": "Nolang"},
        listed="packages",
        wrong={"by": "beauty"},
        names="by",
    ),
    Case("list_platforms", {}, {"truncated": False}, 1, "/api/platforms", wrong={"platform": "npm"}, names="platform"),
    Case(
        "find_alternatives", EXPRESS, STORED, 2, "/api/search", NOBODY,
        empty={"platform": "pypi", "name": "sandbox-bare"}, listed="alternatives", wrong={"platform": "npm"},
    ),
    Case("get_package_info", EXPRESS, STORED, 1, "/api/NPM/express", NOBODY, wrong={"platform": "npm"}),
    Case(
        "get_package_versions", EXPRESS, STORED, 1, "/api/NPM/express", NOBODY,
        empty={**EXPRESS, "since": "2200-01-01"}, listed="versions", wrong={**EXPRESS, "since": "yesterday"},
        names="since",
    ),
    Case(
        "get_package_dependencies", EXPRESS, {**STORED, "version": "5.1.0"}, 2, "/api/NPM/express/5.1.0/dependencies",
        {**EXPRESS, "version": "99.0.0"}, empty={"platform": "npm", "name": "ms"}, listed="dependencies",
        wrong={**EXPRESS, "version": "x" * 300}, names="version",
    ),
    Case(
        "get_dependency_tree", EXPRESS, {**STORED, "packages_count": 12}, 1, "/api/NPM/express/tree", NOBODY,
        wrong={**EXPRESS, "max_depth": 17}, names="max_depth",
    ),
    Case(
        "get_package_dependents", {"platform": "npm", "name": "debug", "repositories": True}, {"name": "debug"}, 2,
        "/api/NPM/debug", NOBODY, empty=EXPRESS, listed="repositories", wrong={**EXPRESS, "repositories": "many"},
        names="repositories",
    ),
    Case(
        "get_sourcerank", EXPRESS, {**STORED, "unknown": []}, 1, "/api/NPM/express/sourcerank", NOBODY,
        wrong={"name": "express"}, names="platform",
    ),
    Case(
        "get_package_contributors", EXPRESS, {**STORED, "total": 300}, 1, "/api/NPM/express/contributors", NOBODY,
        empty={"platform": "pypi", "name": "sandbox-bare"}, listed="contributors", wrong={**EXPRESS, "per_page": 0},
        names="per_page",
    ),
    Case(
        "get_repository", PSF, {"full_name": "psf/requests", "license": "Apache-2.0"}, 1, "/api/github/psf/requests",
        NOWHERE, wrong={**PSF, "host": "sourceforge"}, names="host",
    ),
    Case(
        "get_repository_dependencies", {"host": "GitHub", "owner": "expressjs", "name": "express"},
        {"full_name": "expressjs/express", "outdated_count": 2}, 1, "/api/github/expressjs/express/dependencies",
        NOWHERE, wrong={**PSF, "summary": "short"}, names="summary",
    ),
    Case(
        "get_repository_packages", {"host": "github", "owner": "facebook", "name": "react"},
        {"full_name": "facebook/react", "total": 3}, 1, "/api/github/facebook/react/projects", NOWHERE,
        wrong={**PSF, "per_page": 101}, names="per_page",
    ),
    Case(
        "get_owner", {"host": "github", "login": "pallets", "include": "packages"},
        {"login": "pallets", "type": "Organisation", "total": 6}, 2, "/api/github/pallets/projects",
        {"host": "github", "login": "nobody-at-all"}, empty={"host": "github", "login": "pallets"}, listed="packages",
        wrong={"host": "github", "login": "pallets", "include": "friends"}, names="include",
    ),
    Case(
        "track_package_updates", {"action": "status", **EXPRESS}, {"subscribed": False, "changed": False}, 2,
        "/api/subscriptions/NPM/express", {"action": "status", **NOBODY}, empty={"action": "list"},
        listed="subscriptions", wrong={"action": "subscribe"}, names="platform",
    ),
]  # fmt: skip
each_tool = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with sandbox() as url:
        yield url


@pytest.fixture(scope="module")
def faults(base_url: str) -> Iterator[Faults]:
    with Faults(base_url) as control:
        yield control


@pytest.fixture(scope="module")
async def server(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Session]:
    async with session(tmp_path_factory.mktemp("server"), base_url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def keeping(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Session]:
    """A server that keeps answers for no time worth speaking of, so that all of them are old at once."""
    folder: Path = tmp_path_factory.mktemp("keeping")
    async with session(folder, base_url, CACHE_TTL_SECONDS="0.001") as opened:
        yield opened


async def test_every_tool_has_its_case(server: Session):
    """But those that ask Libraries.io nothing."""
    found = {tool.name for tool in await server.client.list_tools()}
    assert found == {case.tool for case in CASES} | {"get_quota_status", "get_server_health"}


@each_tool
async def test_a_good_answer_and_what_it_costs(server: Session, faults: Faults, case: Case):
    faults.requests()
    facts = await server.ask(case.tool, **case.good)
    assert {name: facts[name] for name in case.says} == case.says
    assert facts["provenance"]["source"] == "network"
    assert faults.requests() == case.requests


@each_tool
async def test_nothing_found(server: Session, case: Case):
    if case.unknown is not None:
        assert (await server.fail(case.tool, **case.unknown))["error_type"] == "not_found"
    if case.empty is not None:
        facts = await server.ask(case.tool, **case.empty)
        assert facts[case.listed] == []
        assert not facts["truncated"]


@each_tool
async def test_a_wrong_question(server: Session, faults: Faults, case: Case):
    faults.requests()
    error = await server.fail(case.tool, **case.wrong)
    assert error["error_type"] == "invalid_request"
    assert case.names in error["message"]
    assert faults.requests() == 0


@each_tool
async def test_a_fault_upstream_is_said_and_passes(server: Session, faults: Faults, case: Case):
    faults.switch_on("server_error", case.fault, count=1)
    assert (await server.fail(case.tool, **case.good))["error_type"] == "upstream_error"
    await server.ask(case.tool, **case.good)


@each_tool
async def test_a_stale_answer_is_marked(keeping: Session, faults: Faults, case: Case):
    if case.tool == "track_package_updates":
        pytest.skip("what was written is never answered from memory")
    await keeping.ask(case.tool, **case.good)
    faults.switch_on("server_error")
    try:
        result = await keeping.call(case.tool, **case.good)
    finally:
        faults.clear()
    facts = result.structured_content
    assert facts["provenance"]["source"] == "stale"
    assert facts["provenance"]["age_seconds"] >= 0
    assert "STALE" in result.content[0].text
    assert {name: facts[name] for name in case.says} == case.says
    # A good answer closes the breaker that the next case would find half open.
    await keeping.ask(case.tool, **case.good)


LONG: Final = [
    ("search_packages", "packages", {"query": "http", "per_page": 100}, 153),
    ("get_popular_packages", "packages", {"per_page": 60}, None),
    ("get_package_versions", "versions", {"platform": "npm", "name": "sandbox-many-versions", "limit": 100}, 600),
    ("get_package_contributors", "contributors", {**EXPRESS, "per_page": 100}, 300),
    ("get_owner", "packages", {"host": "github", "login": "contributor-001", "include": "package_contributions"}, 66),
    (
        "get_owner",
        "repositories",
        {"host": "github", "login": "contributor-001", "include": "repository_contributions"},
        57,
    ),
    ("get_repository_packages", "packages", {"host": "github", "owner": "facebook", "name": "react", "per_page": 2}, 3),
    ("get_package_dependencies", "dependencies", PARTS, 160),
    ("get_dependency_tree", "nodes", PARTS, 291),
    # One page of a search is what it looks at; the package itself is not among its alternatives.
    ("find_alternatives", "alternatives", PARTS, 99),
    ("get_repository_dependencies", "dependencies", WHOLE, 160),
    (
        "get_package_dependents",
        "repositories",
        {"platform": "npm", "name": "sandbox-many-versions", "repositories": True},
        160,
    ),
]


@pytest.mark.parametrize(("tool", "listed", "arguments", "count"), LONG, ids=lambda value: str(value)[:30])
async def test_a_cut_list_is_followed_to_its_end(
    server: Session, tool: str, listed: str, arguments: dict[str, Any], count: int | None
):
    items = await server.follow(tool, listed, **arguments)
    assert count is None or len(items) == count
    # A place in a tree that repeats what was shown before looks like another one.
    shown = [item for item in items if not item.get("seen_before")]
    assert len({str(item) for item in shown}) == len(shown)


async def test_a_long_list_of_subscriptions_is_followed_to_its_end(server: Session, base_url: str):
    followed = [f"sandbox-many-parts-{number:03}" for number in range(1, 161)]
    async with httpx.AsyncClient(base_url=base_url, params={"api_key": CANARY}, timeout=HANG_SECONDS) as service:
        for name in followed:
            (await service.post(f"/subscriptions/NPM/{name}")).raise_for_status()
        items = await server.follow("track_package_updates", "subscriptions", action="list")
        for name in followed:
            (await service.delete(f"/subscriptions/NPM/{name}")).raise_for_status()
    assert [item["name"] for item in items] == followed


async def test_the_budget_cuts_inside_a_page(server: Session):
    facts = await server.ask("search_packages", query="http", per_page=100)
    assert 1 < len(facts["packages"]) < 100
    assert facts["left_out"] == 153 - len(facts["packages"])


@pytest.mark.parametrize(
    ("cursor", "says"),
    [("", "none of"), ("%%%", "none of"), ("e30", "none of"), ("eyJxIjoiIn0", "none of"), ("x" * 200, "none of")],
)
async def test_a_cursor_of_nobody(server: Session, cursor: str, says: str):
    if not cursor:
        # As left out: some clients send empty texts for what they don't set.
        await server.ask("get_package_versions", **EXPRESS, cursor=cursor)
        return
    error = await server.fail("get_package_versions", **EXPRESS, cursor=cursor)
    assert error["error_type"] == "invalid_request"
    assert says in error["message"]


async def test_a_cursor_of_another_question(server: Session):
    first = await server.ask("get_package_versions", **EXPRESS, limit=1)
    error = await server.fail("get_package_versions", platform="npm", name="debug", limit=1, cursor=first["cursor"])
    assert error["error_type"] == "invalid_request"
    assert "another question" in error["message"]
    assert "without" in error["next_step"] or "out" in error["next_step"]


async def test_a_misspelt_name_gets_close_ones_for_one_search(server: Session, faults: Faults):
    faults.requests()
    error = await server.fail("get_package_info", platform="npm", name="expres")
    assert error["suggestions"] == ["express"]
    assert "one extra search" in error["next_step"].lower()
    assert faults.requests() == 2


async def test_two_letters_swapped_find_the_right_name(server: Session):
    error = await server.fail("get_package_info", platform="pypi", name="reqeusts")
    assert error["suggestions"][0] == "requests"


async def test_a_blank_query_is_refused(server: Session, faults: Faults):
    faults.requests()
    assert "query" in (await server.fail("search_packages", query="   "))["message"]
    assert faults.requests() == 0


async def test_blanks_around_a_name_are_no_part_of_it(server: Session, faults: Faults):
    faults.requests()
    assert (await server.ask("get_package_info", platform=" npm ", name=" express "))["name"] == "express"
    assert (await server.ask("get_owner", host="github", login=" pallets "))["login"] == "pallets"
    assert faults.requests() == 2


async def test_licences_that_no_search_knows_are_said_to_be_ignored(server: Session):
    facts = await server.ask("search_packages", query="http", licenses=["NOT-A-LICENCE"])
    assert facts["note"].startswith("No SPDX id: NOT-A-LICENCE. Libraries.io ignores what it does not know")
    assert facts["note"].endswith("filtered by no licence.")
    facts = await server.ask("search_packages", query="http", licenses=["mit", "NOT-A-LICENCE"])
    assert facts["note"].endswith("filtered by the others only.")
    assert (await server.ask("search_packages", query="http", licenses=["MIT", "Apache 2.0"]))["note"] is None


async def test_a_login_that_has_no_address_is_refused_by_name(server: Session, faults: Faults):
    faults.requests()
    error = await server.fail("get_owner", host="github", login="Repository")
    assert error["error_type"] == "invalid_request"
    assert "`login`" in error["message"]
    assert faults.requests() == 0


async def test_no_subscriptions_are_said_to_be_none(server: Session):
    result = await server.call("track_package_updates", action="list")
    assert result.content[0].text.startswith("list: no subscriptions\n")


async def test_a_wrong_name_of_an_argument_is_answered_with_the_right_ones(server: Session):
    error = await server.fail("get_package_info", platform="npm", nmae="express")
    assert error["error_type"] == "invalid_request"
    assert error["next_step"] == "Its arguments are: platform, name."
    assert error["suggestions"] == ["name"]


async def test_a_tool_that_is_switched_off_is_said_to_be(base_url: str, tmp_path: Path):
    async with session(tmp_path, base_url, TOOLSETS="package") as small:
        error = await small.fail("search_packages", query="http")
        assert error["message"] == "The tool search_packages is switched off on this server."
        assert "add discover to TOOLSETS" in error["next_step"]
        error = await small.fail("get_package_inof", platform="npm", name="express")
        assert error["suggestions"][0] == "get_package_info"


async def test_a_known_package_with_an_unknown_version_is_said_to_be_known(server: Session):
    error = await server.fail("get_package_dependencies", **EXPRESS, version="99.0.0")
    assert "NPM/express" in error["message"]
    assert "'99.0.0'" in error["message"]
    assert "get_package_versions" in error["next_step"]


@pytest.mark.parametrize(
    ("tool", "arguments", "says", "cost"),
    [
        # Removed packages and those beyond the first page are in no search, and known all the same.
        (
            "get_package_dependencies",
            {"platform": "pypi", "name": "sandbox-bare", "version": "1"},
            "no version of it",
            2,
        ),
        # The package is looked up under its own spelling, which is one redirect.
        (
            "get_package_dependencies",
            {"platform": "npm", "name": "EXPRESS", "version": "99"},
            "not its version '99'",
            3,
        ),
        (
            "get_dependency_tree",
            {**EXPRESS, "version": "latest", "date": "1990-01-01"},
            "has nothing of NPM/express from before 1990-01-01; its first known one is of 20",
            2,
        ),
        ("get_dependency_tree", {**EXPRESS, "version": "99"}, "knows NPM/express, but not its version '99'", 2),
        ("get_dependency_tree", NOBODY, "knows no package 'nobody-has-written-this' on NPM", 2),
        ("get_dependency_tree", {"platform": "bower", "name": "jquery"}, "holds no versions for Bower", 1),
        ("get_dependency_tree", {"platform": "bower", "name": "jquery", "version": "3"}, "no versions for Bower", 1),
    ],
)
async def test_what_is_unknown_is_told_from_what_is_known(
    server: Session, faults: Faults, tool: str, arguments: dict[str, Any], says: str, cost: int
):
    faults.requests()
    error = await server.fail(tool, **arguments)
    assert error["error_type"] == "not_found"
    assert says in error["message"]
    assert faults.requests() == cost


async def test_a_version_that_is_nearly_right_gets_close_ones(server: Session):
    error = await server.fail("get_package_dependencies", **EXPRESS, version="5.1.9")
    assert "5.1.0" in error["suggestions"]


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("get_repository", NOWHERE, "no repository psf/nowhere on github"),
        ("get_owner", {"host": "github", "login": "nobody-at-all"}, "nobody called 'nobody-at-all' on github"),
    ],
)
async def test_no_error_names_a_tool_that_is_not_there(
    base_url: str, tmp_path: Path, tool: str, arguments: dict[str, Any], says: str
):
    async with session(tmp_path, base_url, TOOLSETS="repositories,package") as small:
        error = await small.fail(tool, **arguments)
        assert says in error["message"]
        assert error["next_step"].startswith("Check ")
        error = await small.fail("get_package_info", **NOBODY)
        assert error["next_step"].startswith("Check the spelling.")
        assert "search_packages" not in error["next_step"]
        assert "list_platforms" not in (await small.fail("get_package_info", platform="qqq", name="x"))["next_step"]


async def test_no_search_for_close_names_without_a_key(base_url: str, faults: Faults, tmp_path: Path):
    # An empty variable is as good as none.
    async with session(tmp_path, base_url, LIBRARIES_IO_API_KEY="") as keyless:
        faults.requests()
        error = await keyless.fail("get_package_info", platform="npm", name="expres")
        assert "suggestions" not in error
        assert faults.requests() == 1
        assert (await keyless.fail("search_packages", query="http"))["error_type"] == "api_key_missing"


async def test_a_misspelt_platform_gets_close_ones_for_nothing(server: Session, faults: Faults):
    faults.requests()
    error = await server.fail("get_package_info", platform="rubygem", name="rails")
    assert error["error_type"] == "not_found"
    assert error["suggestions"][0] == "Rubygems"
    # The list of platforms is asked, since a new one may have come.
    assert faults.requests() == 1


@pytest.mark.parametrize("name", ["@babel/core", "@BABEL/core"])
async def test_other_spellings_find_the_stored_name(server: Session, name: str):
    assert (await server.ask("get_package_info", platform="Node", name=name))["name"] == "@babel/core"


async def test_what_libraries_io_can_not_know_is_unknown(server: Session):
    bower = await server.ask("search_packages", query="jquery", platforms=["bower"])
    name = bower["packages"][0]["name"]
    facts = await server.ask("get_package_info", platform="bower", name=name)
    assert facts["versions_count"] is None
    versions = await server.ask("get_package_versions", platform="bower", name=name)
    assert versions["total"] is None
    assert "unknown, not none" in versions["note"]
    assert (
        "holds no dependencies"
        in (await server.fail("get_package_dependencies", platform="bower", name=name))["message"]
    )
    bare = await server.ask("get_package_info", platform="pypi", name="sandbox-bare")
    assert bare["stars"] is None


async def test_the_list_of_dependents_is_off_and_said_to_be(server: Session, faults: Faults):
    facts = await server.ask("get_package_dependents", **EXPRESS)
    assert "switched the list of dependents off" in facts["note"]
    faults.switch_on("server_error", "/api/NPM/express/dependent_repositories", count=1)
    facts = await server.ask("get_package_dependents", **EXPRESS, repositories=True)
    assert "could not be listed now (upstream_error)" in facts["note"]
    assert facts["dependents_count"] > 0


async def test_contributions_of_an_organisation_are_refused_before_libraries_io_fails(server: Session, faults: Faults):
    faults.requests()
    error = await server.fail("get_owner", host="github", login="pallets", include="package_contributions")
    assert error["error_type"] == "invalid_request"
    assert faults.requests() == 1


async def test_subscribing_twice_and_unsubscribing_twice(server: Session, faults: Faults):
    async def track(action: str) -> tuple[bool, bool]:
        facts = await server.ask("track_package_updates", action=action, platform="NPM", name="SOCKET.IO")
        return facts["subscribed"], facts["changed"]

    assert await track("subscribe") == (True, True)
    assert await track("subscribe") == (True, False)
    listed = await server.ask("track_package_updates", action="list")
    assert [each["name"] for each in listed["subscriptions"]] == ["socket.io"]
    assert await track("unsubscribe") == (False, True)
    assert await track("unsubscribe") == (False, False)
    faults.switch_on("read_only", "/api/subscriptions/*")
    error = await server.fail("track_package_updates", action="subscribe", **EXPRESS)
    assert error["error_type"] == "upstream_error"
    faults.clear()


async def test_the_quota_is_free(server: Session, faults: Faults):
    faults.requests()
    facts = await server.ask("get_quota_status")
    assert facts["key_present"]
    assert facts["known_from"] == "service"
    assert faults.requests() == 0
