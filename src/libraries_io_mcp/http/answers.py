"""Which form the answers of a session have: one piece of JSON, or an event stream if its client asks for progress.

An event stream costs the server as much as the rest of a call (docs/decisions/performance.md). It is needed for what
comes before the answer: progress, which is only sent to who asks for it. The SDK has one form for all its sessions.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from weakref import WeakSet

from fastmcp.server.http import StreamableHTTPASGIApp
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

ASKS_PROGRESS: Final = "libraries_io.asks_progress"
"""Where in the ASGI scope it stands whether the message asks for progress."""


class ChooseForm:
    """Around the MCP endpoint: a session's answers are JSON until one of its requests asks for progress.

    From then on they are streams, to the end of the session: requests that overlap share their transport.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._endpoint = _endpoint(app)
        self._told: WeakSet[Any] = WeakSet()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] == "POST" and (transport := self._transport(Headers(scope=scope).get("mcp-session-id"))):
            if scope.get(ASKS_PROGRESS):
                self._told.add(transport)
            transport.is_json_response_enabled = transport not in self._told
        await self._app(scope, receive, send)

    def _transport(self, session: str | None) -> Any:
        manager = self._endpoint.session_manager
        # Private in the SDK, and read by FastMCP too; there is no other way from a session to its transport.
        return manager._server_instances.get(session) if manager is not None and session is not None else None


def asks_progress(body: bytes) -> bool:
    """Whether a message may ask for progress. What only looks like it gets a stream, which does no harm."""
    return b'"progressToken"' in body


def lift_limits(web: Starlette, app: ASGIApp, most_bytes: int) -> None:
    """Leave it to `http/limits.py` how large a body may be and how many sessions there are.

    The SDK takes both as arguments of its manager, which FastMCP makes at the start and does not hand them to.
    """
    endpoint, lifespan = _endpoint(app), web.router.lifespan_context

    @asynccontextmanager
    async def lifted(given: Starlette) -> AsyncIterator[Any]:
        async with lifespan(given) as state:
            manager = endpoint.session_manager
            if manager is not None:
                manager.max_sessions = None
                manager.asgi_app.max_body_size = most_bytes
            yield state

    web.router.lifespan_context = lifted


def _endpoint(app: Any) -> StreamableHTTPASGIApp:
    while not isinstance(app, StreamableHTTPASGIApp):
        app = app.app
    return app
