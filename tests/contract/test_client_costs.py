"""What questions cost in requests, counted by the sandbox on a real socket; docs/libraries-io.md states the figures."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastmcp import Client, FastMCP
from tests.support.polling import HANG_SECONDS
from tests.unit.librariesio.calls import asking, sandbox

from libraries_io_mcp import errors
from libraries_io_mcp.answer import Tools
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.sandbox.catalogue_files import load_catalogue
from libraries_io_mcp.tools import TOOLSETS, register_tools

NPM = [package.name for package in load_catalogue().packages if package.platform == "NPM"][:40]


@asynccontextmanager
async def tools(api: LibrariesIOClient) -> AsyncIterator[Client]:
    """An MCP client of all tools."""
    server = FastMCP("test")
    register_tools(Tools(server, api), TOOLSETS)
    async with Client(server) as client:
        yield client


async def requests(base_url: str) -> int:
    async with httpx.AsyncClient(timeout=HANG_SECONDS) as control:
        report = (await control.get(f"{base_url.removesuffix('/api')}/_sandbox/requests")).json()
    return report["total"]


async def test_50_identical_questions_at_once_cost_one_request():
    async with sandbox() as base_url, asking(base_url) as api:
        replies = await asyncio.gather(*(api.project("npm", "react") for _ in range(50)))
        assert await requests(base_url) == 1
        assert {id(reply.data) for reply in replies} == {id(replies[0].data)}
        again = await asyncio.gather(*(api.project("npm", "react") for _ in range(50)))
        assert {id(reply.data) for reply in again} == {id(replies[0].data)}
        assert await requests(base_url) == 1


async def test_what_a_user_asks_about_40_packages_costs_what_is_documented():
    """The tools that take many packages ask for them together; asked one by one, each package is a request."""
    manifest = json.dumps({"name": "mine", "dependencies": dict.fromkeys(NPM, "*")})
    async with sandbox() as base_url, asking(base_url) as api, tools(api) as client:

        async def ask(tool, **arguments):
            before = await requests(base_url)
            answer = (await client.call_tool(tool, arguments)).structured_content
            spent = await requests(base_url) - before
            assert answer["provenance"]["requests_spent"] == spent
            return answer, spent

        audit, spent = await ask("audit_dependencies", manifest=manifest, filename="package.json", include_all=True)
        assert (len(audit["dependencies"]) + audit["left_out"], spent) == (40, 1)
        report, spent = await ask("generate_dependency_report", manifest=manifest, filename="package.json")
        assert (spent, report["provenance"]["source"]) == (0, "cache")
        _, spent = await ask("compare_packages", packages=[{"platform": "NPM", "name": name} for name in NPM[:10]])
        assert spent == 1
        spent = [(await ask("get_package_info", platform="NPM", name=name))[1] for name in NPM[:5]]
        assert spent == [1] * 5


async def test_50_questions_about_40_packages_cost_the_clients_caller_2_requests():
    """40 times what a package is, by one `POST /check`; 10 times what its newest version needs, by one bulk request."""
    assert len(NPM) == 40
    async with sandbox() as base_url, asking(base_url) as api:
        checked = {project.name: project for project in (await api.check([("NPM", name) for name in NPM])).data}
        assert set(checked) == set(NPM)
        assert all(checked[name].latest_stable_release_number for name in NPM)
        versions = [("NPM", name, checked[name].latest_stable_release_number) for name in NPM[:10]]
        bulk = await api.bulk_dependencies(versions)
        assert [entry.status for entry in bulk.data] == [200] * 10
        assert await requests(base_url) == 2


async def test_what_came_in_bulk_answers_single_questions_for_nothing():
    packages = [("npm", "express", "5.1.0"), ("NPM", "axios", "1.10.0"), ("npm", "nope", "1"), ("npm", "\x00", "1")]
    async with sandbox() as base_url, asking(base_url) as api, asking(base_url) as other:
        bulk = await api.bulk_dependencies(packages)
        for package, entry in zip(packages, bulk.data, strict=True):
            if entry.status != 200:
                continue
            reply, asked = await api.dependencies(*package), await other.dependencies(*package)
            assert (reply.source, asked.source) == ("cache", "network")
            assert (reply.data, reply.canonical_platform) == (asked.data, asked.canonical_platform)
            assert reply.data.model_dump() == asked.data.model_dump()
            assert reply.endpoint == asked.endpoint
        assert await requests(base_url) == 1 + sum(entry.status == 200 for entry in bulk.data)
        with pytest.raises(errors.NotFoundError):
            await api.dependencies("npm", "nope", "1")


async def test_an_unknown_name_costs_one_request_a_minute():
    async with sandbox() as base_url, asking(base_url) as api:
        for _ in range(3):
            caught = await asyncio.gather(
                *(api.project("npm", "no-such-package") for _ in range(5)), return_exceptions=True
            )
            assert {type(error) for error in caught} == {errors.NotFoundError}
        assert await requests(base_url) == 1
