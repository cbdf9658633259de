"""How long one call may take as a whole."""

import asyncio
from collections.abc import Callable
from typing import Any

import mcp_types
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from mcp import MCPError

from libraries_io_mcp.answer.failure import error_facts, error_result, error_text
from libraries_io_mcp.errors import CallTimeLimitError


class LimitTime(Middleware):
    """Ends tool calls and reads of resources that take longer than `seconds`; `on_end` is told of each."""

    def __init__(self, seconds: float, on_end: Callable[[], None]) -> None:
        self._seconds = seconds
        self._on_end = on_end

    async def on_call_tool(
        self,
        context: MiddlewareContext[mcp_types.CallToolRequestParams],
        call_next: CallNext[mcp_types.CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        """Answer with `call_timeout`."""
        try:
            return await self._limited(context, call_next)  # type: ignore[no-any-return] # it is what call_next returns
        except CallTimeLimitError as error:
            return error_result(error)

    async def on_read_resource(
        self, context: MiddlewareContext[mcp_types.ReadResourceRequestParams], call_next: CallNext[Any, Any]
    ) -> Any:
        """The same for resources.

        Raises:
            MCPError: it took too long.
        """
        try:
            return await self._limited(context, call_next)
        except CallTimeLimitError as error:
            facts = error_facts(error)
        raise MCPError(mcp_types.INTERNAL_ERROR, error_text(facts), facts)

    async def _limited(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                return await call_next(context)
        except TimeoutError:
            if not limit.expired():
                raise
        self._on_end()
        raise CallTimeLimitError(f"The call took longer than {self._seconds:g} seconds.")
