"""The answers of the search: pages, totals, and what is asked of the service."""

from typing import Any

import httpx
import jsonschema
import pytest
from tests.support.in_process import reply, tools_on

pytestmark = pytest.mark.anyio


def project(number: int) -> dict[str, Any]:
    return {"name": f"p{number}", "platform": "NPM", "stars": None, "status": "Active", "normalized_licenses": None}


def found(count: int, **headers: str):
    return lambda _: reply([project(number) for number in range(count)], **headers)


async def search(handler: Any, **arguments: Any) -> tuple[dict[str, Any], str]:
    async with tools_on(handler) as client:
        answer = await client.call_tool("search_packages", arguments, raise_on_error=False)
        (tool,) = [tool for tool in await client.list_tools() if tool.name == "search_packages"]
        jsonschema.validate(answer.structured_content, tool.output_schema)
    return answer.structured_content, answer.content[0].text


@pytest.mark.parametrize(
    ("count", "total", "page", "more"),
    [
        (2, "30", 1, True),
        (2, "2", 1, False),
        (1, "1", 1, False),
        (2, None, 1, True),
        (1, None, 1, False),
        (2, "4", 2, False),
    ],
)
async def test_whether_there_is_more(count: int, total: str | None, page: int, more: bool):
    headers = {"total": total} if total else {}
    facts, text = await search(found(count, **headers), query="pad", per_page=2, page=page)
    assert facts["has_more"] is more
    assert facts["total"] == (int(total) if total else None)
    assert ("go on with cursor" in text) is more
    assert (facts["cursor"] is not None) is more
    assert len(facts["packages"]) == count


async def test_nothing_found():
    facts, text = await search(found(0, total="0"), query="no such words")
    assert (facts["packages"], facts["has_more"]) == ([], False)
    assert text.startswith("No package matches.")


async def test_what_is_not_known_is_null():
    facts, text = await search(found(1), query="pad")
    (package,) = facts["packages"]
    assert (package["description"], package["latest_stable"], package["rank"]) == (None, None, None)
    assert "NPM/p0 (no stable version known) [licence unknown]" in text
    assert "None" not in text


async def test_what_is_asked():
    asked: list[httpx.URL] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/platforms":
            return reply([{"name": "Zig"}])
        asked.append(request.url)
        return reply([])

    await search(
        handler, query="http & client", platforms=["pip", "zig"], languages=["Python"], licenses=["MIT", "ISC"],
        keywords=["web"], sort="stars", order="asc", page=2, per_page=5,
    )  # fmt: skip
    parameters = dict(asked[0].params)
    parameters.pop("api_key")
    assert asked[0].path == "/api/search"
    assert parameters == {
        "q": "http & client",
        "platforms": "Pypi,Zig",
        "languages": "Python",
        "licenses": "MIT,ISC",
        "keywords": "web",
        "sort": "stars",
        "order": "asc",
        "page": "2",
        "per_page": "5",
        "include_versions": "false",
    }
