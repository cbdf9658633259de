import asyncio

import pytest
from fastmcp import Client, FastMCP
from mcp import MCPError
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.answer.time_limit import LimitTime

pytestmark = pytest.mark.anyio


def limited(seconds: float, ended: list[str]) -> FastMCP:
    """A server with tools that never end, that end, and that fail as if they had taken too long."""
    server = FastMCP("test", middleware=[LimitTime(seconds, lambda: ended.append("ended"))])
    never = asyncio.Event()

    @server.tool
    async def slow() -> str:
        try:
            await never.wait()
        finally:
            ended.append("cancelled")
        return "late"

    @server.tool
    def quick() -> str:
        return "in time"

    @server.tool
    def late_by_itself() -> str:
        raise TimeoutError

    @server.resource("slow://it")
    async def slow_resource() -> str:
        await never.wait()
        return "late"

    return server


async def test_what_takes_too_long_is_ended_and_said():
    ended: list[str] = []
    async with Client(limited(0.05, ended)) as client:
        result = await client.call_tool("slow", raise_on_error=False)
        assert result.is_error
        assert result.structured_content["error_type"] == "call_timeout"
        assert "MCP_CALL_TIMEOUT_SECONDS" in result.structured_content["next_step"]
        assert ended == ["cancelled", "ended"]
        with pytest.raises(MCPError, match="call_timeout"):
            await client.read_resource("slow://it")
        assert len(ended) == 3


async def test_what_ends_by_itself_is_not_ended():
    ended: list[str] = []
    async with Client(limited(HANG_SECONDS, ended)) as client:
        assert (await client.call_tool("quick")).data == "in time"
        assert (await client.call_tool("late_by_itself", raise_on_error=False)).is_error
        assert ended == []
