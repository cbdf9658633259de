"""The API itself: finds the route of a request and gives its reply the headers that the service gives."""

import re
from collections.abc import Sequence
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from libraries_io_mcp.sandbox.call import Call
from libraries_io_mcp.sandbox.catalogue import Catalogue
from libraries_io_mcp.sandbox.clock import Clock
from libraries_io_mcp.sandbox.quota import STANDING, Standing
from libraries_io_mcp.sandbox.replies import BadRequestError, ServiceError, error_reply, unrouted
from libraries_io_mcp.sandbox.routing import Match, Route, find_route

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Api:
    """The ASGI application behind the rate limit.

    Args:
        catalogue: what the service knows.
        table: its routes.
        now: seconds since the epoch.
    """

    def __init__(self, catalogue: Catalogue, table: Sequence[Route], now: Clock) -> None:
        self._catalogue = catalogue
        self._table = table
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["raw_path"].decode("latin-1")
        match = find_route(self._table, request.method, path)
        if _BROKEN_ESCAPE.search(path):
            reply = error_reply(BadRequestError())
        elif match is None:
            reply = unrouted()
        else:
            reply = await self._answer(request, path, match, scope.get(STANDING))
        await (_without_body(reply) if request.method == "HEAD" else reply)(scope, receive, send)

    async def _answer(self, request: Request, path: str, match: Match, standing: Standing | None) -> Response:
        key = standing.key if standing else None
        template = match.route.template
        call = Call(request, self._catalogue, self._now, path, template, match.parameters, key)
        try:
            reply = await match.route.handler(call)
        except ServiceError as error:
            return error_reply(error)
        return _finished(_unchanged(request, reply), standing)


def _unchanged(request: Request, reply: Response) -> Response:
    """304 without body when the caller already has this reply."""
    etag = reply.headers.get("etag")
    if etag is None or request.headers.get("if-none-match") != etag:
        return reply
    kept = {name: value for name, value in reply.headers.items() if name not in ("content-length", "content-type")}
    return Response(status_code=304, headers=kept)


def _finished(reply: Response, standing: Standing | None) -> Response:
    """The reply with the headers that every reply of a controller has."""
    reply.headers.update({"x-request-id": str(uuid4()), "vary": "Origin", **(standing.headers() if standing else {})})
    return reply


def _without_body(reply: Response) -> Response:
    """The same headers, the length of the left-out body included."""
    reply.body = b""
    return reply
