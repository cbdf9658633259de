import pytest
from fastmcp import FastMCP

from libraries_io_mcp.http.answers import lift_limits

pytestmark = pytest.mark.anyio


async def test_the_limits_of_the_sdk_are_lifted():
    web = FastMCP("test").http_app(path="/mcp")
    endpoint = web.routes[0].app
    lift_limits(web, endpoint, 20_000_000)
    async with web.router.lifespan_context(web):
        assert endpoint.session_manager.max_sessions is None
        assert endpoint.session_manager.asgi_app.max_body_size == 20_000_000
