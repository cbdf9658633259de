"""Resources whose lists no stand-in has long enough: cut, and followed to their end."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastmcp import Client, FastMCP
from opentelemetry.metrics import NoOpMeter
from pydantic import SecretStr
from tests.support.in_process import KEY, NOW, reply

from libraries_io_mcp.answer import Tools
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.resources import SayWhy, register_resources
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.tools import TOOLSETS, register_tools

pytestmark = pytest.mark.anyio
OWNED = [{"platform": "NPM", "name": f"p{number}", "description": "d" * 300} for number in range(100)]


def service(request: httpx.Request) -> httpx.Response:
    """A user and an organisation with a hundred packages each."""
    last = request.url.path.split("/")[-1]
    if last == "projects":
        page, per_page = int(request.url.params["page"]), int(request.url.params["per_page"])
        return reply(OWNED[(page - 1) * per_page : page * per_page], total=str(len(OWNED)))
    return reply({"login": last, "user_type": "User" if last == "somebody" else "Organisation", "host_type": "GitHub"})


@asynccontextmanager
async def resources() -> AsyncIterator[Client]:
    """A client of a server with all resources, on that service."""
    asker = LibrariesIOClient(
        LibrariesIOSettings(api_key=SecretStr(KEY), base_url="https://libraries.example/api"),
        instruments=Instruments(NoOpMeter("test")),
        now=lambda: NOW,
        network=httpx.MockTransport(service),
    )
    server = FastMCP("test", middleware=[SayWhy()])
    tools = Tools(server, asker)
    register_tools(tools, TOOLSETS)
    register_resources(server, tools.names)
    try:
        async with Client(server) as client:
            yield client
    finally:
        await asker.aclose()


@pytest.mark.parametrize("address", ["users://somebody/packages", "orgs://someones/packages"])
async def test_the_packages_of_an_owner_are_followed_to_their_end(address: str):
    async with resources() as client:
        names: list[str] = []
        pages = 0
        cursor: str | None = ""
        while cursor is not None:
            facts = await read(client, f"{address}?cursor={cursor}" if cursor else address)
            names += [each["name"] for each in facts["packages"]]
            pages += 1
            cursor = facts["cursor"]
            assert facts["truncated"] == (cursor is not None)
    assert pages > 2
    assert names == [each["name"] for each in OWNED]


async def read(client: Client, uri: str) -> dict[str, Any]:
    (content,) = await client.read_resource(uri)
    return json.loads(content.text)
