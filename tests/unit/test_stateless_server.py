"""A server that keeps no state of sessions answers as FastMCP does; what would be kept is refused."""

import pytest
from fastmcp import Client

from libraries_io_mcp.stateless_server import NoState, StatelessServer


async def test_lists_and_calls():
    server = StatelessServer("test")

    @server.tool
    async def one() -> int:
        return 1

    async with Client(server) as client:
        assert [tool.name for tool in await client.list_tools()] == ["one"]
        assert (await client.call_tool("one")).data == 1


async def test_what_would_be_kept_is_refused():
    with pytest.raises(NotImplementedError, match="no state of sessions"):
        await NoState().put(key="rules", value=[])
