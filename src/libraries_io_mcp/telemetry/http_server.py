"""ASGI middleware, outermost: how many HTTP requests there are, by route template, and how long they take.

Metrics only: the span of a request is that of its MCP message. `docs/decisions/http-server-metrics.md` says why this is
our own.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libraries_io_mcp.telemetry.instruments import Attributes, Instruments
from libraries_io_mcp.telemetry.semconv import HTTP_METHODS, UNKNOWN_COMPONENT, Attribute

_VERSIONS: Final = frozenset({"1.0", "1.1", "2", "3"})


class ObserveHttp:
    """Measures each request from its first byte to the last byte of the answer, event streams included."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        instruments: Instruments,
        routes: Iterable[str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`routes` are the path templates of this server; of what the router says only these are believed."""
        self._app = app
        self._instruments = instruments
        self._routes = frozenset(routes)
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of the ASGI protocol."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in HTTP_METHODS else UNKNOWN_COMPONENT
        scheme = "https" if scope["scheme"] == "https" else "http"
        status = 0

        async def noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._instruments.http_begins(method, scheme)
        started = self._monotonic()
        failure: str | None = None
        try:
            await self._app(scope, receive, noting_status)
        except BaseException as error:
            failure = "cancelled" if isinstance(error, asyncio.CancelledError) else UNKNOWN_COMPONENT
            raise
        finally:
            attributes: Attributes = {
                Attribute.HTTP_METHOD: method,
                Attribute.URL_SCHEME: scheme,
                Attribute.HTTP_ROUTE: self._route(scope),
            }
            if scope["http_version"] in _VERSIONS:
                attributes[Attribute.NETWORK_PROTOCOL_VERSION] = scope["http_version"]
            if status:
                attributes[Attribute.HTTP_STATUS_CODE] = status
            if failure or status >= 500:
                attributes[Attribute.ERROR_TYPE] = failure if failure and not status else str(status)
            self._instruments.http_ended(self._monotonic() - started, attributes)

    def _route(self, scope: Scope) -> str:
        template = getattr(scope.get("route"), "path", None)
        return template if template in self._routes else UNKNOWN_COMPONENT
