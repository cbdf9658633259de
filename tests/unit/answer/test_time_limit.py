import asyncio

import pytest
from fastmcp import Client, FastMCP
from mcp import MCPError

from libraries_io_mcp.answer.time_limit import LimitTime

pytestmark = pytest.mark.anyio


async def test_what_takes_too_long_is_ended_and_said():
    ended: list[str] = []
    server = FastMCP("test", middleware=[LimitTime(0.05, lambda: ended.append("ended"))])
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

    async with Client(server) as client:
        result = await client.call_tool("slow", raise_on_error=False)
        assert result.is_error
        assert result.structured_content["error_type"] == "call_timeout"
        assert "MCP_CALL_TIMEOUT_SECONDS" in result.structured_content["next_step"]
        assert ended == ["cancelled", "ended"]
        assert (await client.call_tool("quick")).data == "in time"
        with pytest.raises(MCPError, match="call_timeout"):
            await client.read_resource("slow://it")
        await client.call_tool("late_by_itself", raise_on_error=False)
        assert len(ended) == 3
