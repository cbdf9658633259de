"""`/status` and what it loads: the page's files, its stream of events, one trace. Thin, no logic."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.resources import files
from typing import Final

import anyio
from anyio import to_thread
from fastmcp import FastMCP
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from libraries_io_mcp.status.feed import Feed, Viewer
from libraries_io_mcp.status.sources import Traces, encoded

PAGE: Final = "index.html"
MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
SECURITY: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
NEVER_KEPT: Final = {"cache-control": "no-store", **SECURITY}


class Assets:
    """The page's files: read once, named in no path of the outside."""

    def __init__(self) -> None:
        folder = files("libraries_io_mcp.status") / "page"
        self._files = {each.name: each.read_bytes() for each in folder.iterdir() if each.name[-3:] != ".py"}

    def answer(self, name: str, request: Request) -> Response:
        """A file, `304` when the browser has it, `404` when there is none."""
        content = self._files.get(name)
        media_type = MEDIA_TYPES.get(f".{name.rpartition('.')[2]}")
        if content is None or media_type is None:
            return PlainTextResponse("Not found.\n", status_code=404, headers=NEVER_KEPT)
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"etag": tag, "cache-control": "no-cache", **SECURITY}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=media_type, headers=headers)


class EventStream(Response):
    """A viewer's messages as server-sent events, until it leaves or is sent away."""

    media_type = "text/event-stream"

    def __init__(self, feed: Feed) -> None:
        super().__init__(headers={**NEVER_KEPT, "x-accel-buffering": "no"})
        # What is sent has no end, so no length.
        del self.headers["content-length"]
        self._feed = feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Serve one page."""
        # The one who cancels is the server that ends, with a page still open; it would write a traceback of it.
        with suppress(asyncio.CancelledError):
            await self._serve(receive, send)

    async def _serve(self, receive: Receive, send: Send) -> None:
        async with self._feed.viewing() as viewer, anyio.create_task_group() as tasks:

            async def leave_after(end: Callable[[], Awaitable[object]]) -> None:
                await end()
                # Also out of a `send` that waits for a browser which does not read.
                tasks.cancel_scope.cancel()

            tasks.start_soon(leave_after, lambda: _disconnected(receive))
            tasks.start_soon(leave_after, viewer.dropped.wait)
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await _send_all(viewer, send)


async def _send_all(viewer: Viewer, send: Send) -> None:
    while True:
        body = (await viewer.next()).encode()
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def add_status_routes(server: FastMCP, feed: Feed, traces: Traces | None) -> None:
    """Add the routes. Who may see them is decided before they are reached: `http/access.py`."""
    assets = Assets()

    @server.custom_route("/status", methods=["GET"])
    async def status(request: Request) -> Response:
        return assets.answer(PAGE, request)

    @server.custom_route("/status/events", methods=["GET"])
    async def events(_request: Request) -> Response:
        if feed.full:
            text = f"{feed.viewers} pages are open already, which is as many as are served at once.\n"
            return PlainTextResponse(text, status_code=503, headers={"retry-after": "10", **NEVER_KEPT})
        return EventStream(feed)

    @server.custom_route("/status/traces/{trace_id}", methods=["GET"])
    async def trace(request: Request) -> Response:
        if traces is None:
            return JSONResponse({"error": "No traces are kept."}, status_code=404, headers=NEVER_KEPT)
        found = await to_thread.run_sync(traces.trace, request.path_params["trace_id"])
        if found is None:
            return JSONResponse({"error": "This trace is not kept any more."}, status_code=404, headers=NEVER_KEPT)
        return Response(encoded(found), media_type="application/json", headers=NEVER_KEPT)

    @server.custom_route("/status/{name}", methods=["GET"])
    async def asset(request: Request) -> Response:
        return assets.answer(request.path_params["name"], request)
