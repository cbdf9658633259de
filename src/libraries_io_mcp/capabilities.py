"""What the server says of itself to a client: only what it does."""

from typing import Any

import mcp_types
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext


class CapabilitiesMiddleware(Middleware):
    """Declares no `logging`, which FastMCP always does: clients are sent no log."""

    async def on_initialize(
        self, context: MiddlewareContext[mcp_types.InitializeRequest], call_next: CallNext[Any, Any]
    ) -> Any:
        """For the revisions with a handshake."""
        return _without_logging(await call_next(context))

    async def on_discover(
        self, context: MiddlewareContext[mcp_types.DiscoverRequest], call_next: CallNext[Any, Any]
    ) -> Any:
        """For those without one."""
        return _without_logging(await call_next(context))


def _without_logging(result: Any) -> Any:
    if isinstance(result, mcp_types.InitializeResult | mcp_types.DiscoverResult):
        result.capabilities.logging = None
    return result
