"""What is said after a 404 about a version: never more than is known, for one question at most."""

from typing import Any

import httpx
import pytest
from tests.support.in_process import Handler, reply, tools_on

pytestmark = pytest.mark.anyio
VERSIONS = [{"number": "1.0.0", "published_at": "2020-05-01T00:00:00.000Z"}, {"number": "1.1.0-rc"}]
PACKAGE = {"name": "x", "platform": "NPM"}


def service(project: httpx.Response, **headers: str) -> tuple[Handler, list[str]]:
    """One that knows the package so, and nothing of its versions; and the paths that were asked."""
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return project if request.url.path == "/api/NPM/x" else reply({"error": "not found"}, 404, **headers)

    return handler, asked


async def error_of(handler: Handler, tool: str, **arguments: Any) -> dict[str, Any]:
    async with tools_on(handler) as client:
        answer = await client.call_tool(tool, {"platform": "npm", "name": "x", **arguments}, raise_on_error=False)
    assert answer.structured_content["error_type"] == "not_found"
    return answer.structured_content


@pytest.mark.parametrize(
    ("tool", "arguments", "says", "next_step"),
    [
        ("get_package_dependencies", {"version": "9"}, "knows NPM/x, but not its version '9'.", "get_package_versions"),
        ("get_package_dependencies", {"version": "1.0.0"}, "knows NPM/x 1.0.0, but not what it depends on.", "another"),
        ("get_dependency_tree", {}, "knows no stable version of NPM/x.", "Name a version."),
        (
            "get_dependency_tree",
            {"date": "2019-01-01"},
            "nothing of NPM/x from before 2019-01-01; its first known one is of 2020-05-01.",
            "later date",
        ),
        (
            "get_dependency_tree",
            {"version": "1.0.0", "date": "2019-01-01"},
            "nothing of NPM/x 1.0.0 from before 2019-01-01.",
            "later date",
        ),
    ],
)
async def test_of_a_known_package(tool: str, arguments: dict[str, str], says: str, next_step: str):
    handler, asked = service(reply({**PACKAGE, "versions": VERSIONS}))
    error = await error_of(handler, tool, **arguments)
    assert error["message"].endswith(says)
    assert next_step in error["next_step"]
    assert len(asked) == 2


async def test_close_versions_are_suggested():
    handler, _ = service(reply({**PACKAGE, "versions": VERSIONS}))
    error = await error_of(handler, "get_package_dependencies", version="1.0")
    assert error["suggestions"] == ["1.0.0"]


async def test_of_an_unknown_package():
    handler, asked = service(reply({"error": "not found"}, 404))
    error = await error_of(handler, "get_package_dependencies", version="9")
    assert error["message"] == "Libraries.io knows no package 'x' on NPM."
    assert "search_packages" in error["next_step"]
    assert len(asked) == 2, "no search on top of it"


@pytest.mark.parametrize(("status", "left", "requests"), [(500, "59", 2), (200, "4", 1)])
async def test_what_could_not_be_found_out_is_not_said(status: int, left: str, requests: int):
    """The package could not be asked about, or asking would take the last of the quota."""
    headers = {"x-ratelimit-remaining": left}
    handler, asked = service(reply(PACKAGE, status), **headers)
    error = await error_of(handler, "get_package_dependencies", version="9")
    assert error["message"] == "Libraries.io does not know NPM/x 9: the package, the version or the day."
    assert len(asked) == requests
