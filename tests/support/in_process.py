"""The server in this process, its client beside it, and a service whose replies the test writes."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import fastmcp
import httpx
from fastmcp import Client, FastMCP
from opentelemetry.metrics import NoOpMeter
from pydantic import SecretStr

from libraries_io_mcp.answer import Tools
from libraries_io_mcp.answer.failure import RefuseBadCalls
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.tools import TOOLSETS, register_tools

KEY: Final = "0123456789abcdef0123456789abcdef"
NOW: Final = 1_750_000_820.0
"""In the middle of a minute."""
Handler = Callable[[httpx.Request], httpx.Response]


def reply(data: Any, status: int = 200, **headers: str) -> httpx.Response:
    """A JSON reply with the limit's headers."""
    limits = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59", "x-ratelimit-reset": "40"}
    head = {"content-type": "application/json; charset=utf-8", **limits, **headers}
    return httpx.Response(status, headers=head, content=json.dumps(data))


@asynccontextmanager
async def tools_on(handler: Handler, *, key: str | None = KEY) -> AsyncIterator[Client]:
    """A client of a server with all tools whose network is `handler` and whose clock stands still."""

    async def no_wait(_seconds: float) -> None:
        raise AssertionError("nothing here has to wait")

    asker = LibrariesIOClient(
        LibrariesIOSettings(api_key=SecretStr(key) if key else None, base_url="https://libraries.example/api"),
        instruments=Instruments(NoOpMeter("test")),
        now=lambda: NOW,
        sleep=no_wait,
        network=httpx.MockTransport(handler),
    )
    fastmcp.settings.telemetry_mode = "propagation_only"
    server = FastMCP("test", middleware=[RefuseBadCalls()], mask_error_details=True)
    register_tools(Tools(server, asker), TOOLSETS)
    try:
        async with Client(server) as client:
            yield client
    finally:
        await asker.aclose()
