"""What each tool and resource needs beyond `read`, and the refusal for a caller who has not got it."""

from typing import Any, Final

from fastmcp.exceptions import AuthorizationError
from fastmcp.server.dependencies import get_access_token
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult

from libraries_io_mcp.answer.failure import error_result
from libraries_io_mcp.errors import ForbiddenError
from libraries_io_mcp.settings import Scope

TOOLS: Final[dict[str, Scope]] = {"track_package_updates": "subscriptions", "get_server_health": "operations"}
RESOURCES: Final[dict[str, Scope]] = {"health://": "operations", "alerts://": "operations", "metrics://": "operations"}
"""By the beginning of their address."""


class RequireScopes(Middleware):
    """Refuses what the caller's token does not allow. Without a login everybody may do everything."""

    async def on_call_tool(self, context: MiddlewareContext[Any], call_next: CallNext[Any, ToolResult]) -> ToolResult:
        """Answer with `forbidden` and the scope that is missing."""
        missing = _missing(TOOLS.get(context.message.name))
        if missing is None:
            return await call_next(context)
        return error_result(
            ForbiddenError(
                f"Your token does not allow this tool: it has no scope {missing!r}.",
                next_step="Go on without this tool, or ask whoever runs the server for the scope.",
            )
        )

    async def on_read_resource(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        """Raise `AuthorizationError` with the same."""
        uri = str(context.message.uri)
        missing = _missing(next((scope for start, scope in RESOURCES.items() if uri.startswith(start)), None))
        if missing is not None:
            raise AuthorizationError(f"Your token does not allow this resource: it has no scope {missing!r}.")
        return await call_next(context)


def _missing(scope: Scope | None) -> Scope | None:
    token = get_access_token() if scope is not None else None
    return scope if token is not None and scope not in token.scopes else None
