"""Every resource and completion through a real client: the tool's answer as JSON, its errors as MCP errors."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from mcp import MCPError
from mcp_types import PromptReference, ResourceTemplateReference
from tests.support.mcp_session import Faults, Session, session
from tests.support.stand_in import sandbox

pytestmark = pytest.mark.anyio
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

GOOD: list[tuple[str, str, dict[str, Any]]] = [
    ("platforms://supported", "list_platforms", {}),
    ("search://packages?q=http%20client", "search_packages", {"query": "http client"}),
    ("quota://status", "get_quota_status", {}),
    ("packages://npm/express/info", "get_package_info", {"platform": "npm", "name": "express"}),
    ("packages://NPM/@babel/core/info", "get_package_info", {"platform": "npm", "name": "@babel/core"}),
    ("packages://npm/%40babel%2Fcore/versions", "get_package_versions", {"platform": "npm", "name": "@babel/core"}),
    (
        "packages://go/github.com/gin-gonic/gin/dependencies",
        "get_package_dependencies",
        {"platform": "go", "name": "github.com/gin-gonic/gin"},
    ),
    (
        "packages://maven/org.slf4j:slf4j-api/dependents",
        "get_package_dependents",
        {"platform": "maven", "name": "org.slf4j:slf4j-api"},
    ),
    (
        "users://contributor-001/packages",
        "get_owner",
        {"host": "github", "login": "contributor-001", "include": "packages"},
    ),
    ("orgs://pallets/packages", "get_owner", {"host": "github", "login": "pallets", "include": "packages"}),
]
UNKNOWN = [
    "platforms://nobody/stats",
    "packages://npm/nobody-has-written-this/info",
    "packages://npm/@nobody/has-written/this/versions",
    "packages://npm/nobody/dependencies",
    "packages://npm/nobody/dependents",
    "users://nobody-at-all/packages",
    "orgs://nobody-at-all/packages",
    "users://pallets/packages",
    "orgs://contributor-001/packages",
]
FAULTS = [
    ("platforms://supported", "/api/platforms"),
    ("platforms://npm/stats", "/api/platforms"),
    ("search://packages?q=http", "/api/search"),
    ("packages://npm/express/info", "/api/NPM/express"),
    ("packages://npm/express/versions", "/api/NPM/express"),
    ("packages://npm/express/dependencies", "/api/NPM/express/5.1.0/dependencies"),
    ("packages://npm/express/dependents", "/api/NPM/express"),
    ("users://contributor-001/packages", "/api/github/contributor-001/projects"),
    ("orgs://pallets/packages", "/api/github/pallets"),
]


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


def lasting(facts: dict[str, Any]) -> dict[str, Any]:
    """What is the same however often it is asked."""
    moving = {"provenance", "remaining", "resets_in_seconds", "cursor"}
    return {name: value for name, value in facts.items() if name not in moving}


@pytest.mark.parametrize(("uri", "tool", "arguments"), GOOD)
async def test_a_resource_is_its_tools_answer(server: Session, uri: str, tool: str, arguments: dict[str, Any]):
    assert lasting(await server.read(uri)) == lasting(await server.ask(tool, **arguments))


@pytest.mark.parametrize("platform", ["npm", "NPM", "yarn"])
async def test_one_platform(server: Session, platform: str):
    facts = await server.read(f"platforms://{platform}/stats")
    assert facts["name"] == "NPM"
    assert facts["project_count"] > 0


@pytest.mark.parametrize("uri", UNKNOWN)
async def test_nothing_found(server: Session, uri: str):
    with pytest.raises(MCPError) as caught:
        await server.read(uri)
    error = caught.value.error
    assert error.code == INVALID_PARAMS
    assert error.data["error_type"] == "not_found"
    assert error.message.startswith(f"not_found: {error.data['message']} {error.data['next_step']}")


@pytest.mark.parametrize(
    "uri",
    [
        "search://packages",
        "search://packages?q=",
        "search://packages?q=http&page=0",
        "search://packages?q=http&page=two",
        "search://packages?q=http&limit=1",
        "search://packages?q=http&q=rust",
        "packages://npm/express/info?version=1",
        "packages://npm/express/versions?limit=1",
        f"packages://{'x' * 101}/a/info",
        "packages://npm/a/versions?cursor=x",
    ],
)
async def test_a_wrong_question(server: Session, faults: Faults, uri: str):
    faults.requests()
    with pytest.raises(MCPError) as caught:
        await server.read(uri)
    assert caught.value.error.code == INVALID_PARAMS
    assert caught.value.error.data["error_type"] == "invalid_request"
    assert faults.requests() == 0


async def test_a_parameter_nobody_has_is_named(server: Session):
    with pytest.raises(MCPError) as caught:
        await server.read("search://packages?q=http&limit=1")
    assert "search://packages does not take ?limit. It takes cursor, page, q, each once." in str(caught.value)


async def test_a_page_of_a_search(server: Session):
    first, second = [await server.read(f"search://packages?q=http&page={page}") for page in (1, 2)]
    assert (first["page"], second["page"]) == (1, 2)
    names = [{(each["platform"], each["name"]) for each in facts["packages"]} for facts in (first, second)]
    assert not names[0] & names[1]


async def test_an_address_nobody_has(server: Session):
    with pytest.raises(MCPError, match="Resource not found"):
        await server.read("packages://npm/express/beauty")


@pytest.mark.parametrize(("uri", "path"), FAULTS)
async def test_a_fault_upstream_is_said_and_passes(server: Session, faults: Faults, uri: str, path: str):
    faults.switch_on("server_error", path, count=1)
    with pytest.raises(MCPError) as caught:
        await server.read(uri)
    assert caught.value.error.code == INTERNAL_ERROR
    assert caught.value.error.data["error_type"] == "upstream_error"
    await server.read(uri)


async def test_a_stale_resource_is_marked(base_url: str, faults: Faults, tmp_path_factory: pytest.TempPathFactory):
    async with session(tmp_path_factory.mktemp("keeping"), base_url, CACHE_TTL_SECONDS="0.001") as keeping:
        for uri, _ in FAULTS:
            await keeping.read(uri)
            faults.switch_on("server_error")
            try:
                facts = await keeping.read(uri)
            finally:
                faults.clear()
            assert facts["provenance"]["source"] == "stale", uri
            await keeping.read(uri)


@pytest.mark.parametrize(
    ("uri", "listed", "count"),
    [
        ("packages://npm/sandbox-many-versions/versions?", "versions", 600),
        ("packages://npm/sandbox-many-parts/dependencies?", "dependencies", 160),
        ("search://packages?q=http&", "packages", 153),
        # From the second page on; the page is an argument like others, and is repeated.
        ("search://packages?q=http&page=2&", "packages", 143),
    ],
)
async def test_a_cut_resource_is_followed_to_its_end(server: Session, uri: str, listed: str, count: int):
    facts = await server.read(uri.rstrip("?&"))
    items = list(facts[listed])
    while facts["cursor"]:
        facts = await server.read(f"{uri}cursor={facts['cursor']}")
        items += facts[listed]
    assert len(items) == count
    assert not facts["truncated"]


@pytest.mark.parametrize(
    ("argument", "typed", "first", "count"),
    [
        ("platform", "", "Alcatraz", 31),
        ("platform", "py", "Pypi", 1),
        ("platform", "GO", "Go", 2),
        ("platform", "nobody", None, 0),
        ("license", "mi", "MIT", 2),
        ("licenses", "MIT, apa", "Apache-2.0", 1),
        ("name", "express", None, 0),
    ],
)
async def test_completions(server: Session, faults: Faults, argument: str, typed: str, first: str | None, count: int):
    faults.requests()
    references = (
        ResourceTemplateReference(type="ref/resource", uri="packages://{platform}/{name*}/info"),
        PromptReference(type="ref/prompt", name="evaluate_package"),
    )
    for reference in references:
        completion = await server.client.complete(reference, {"name": argument, "value": typed})
        assert len(completion.values) == count
        assert (completion.values[0] if completion.values else None) == first
    assert faults.requests() == 0
