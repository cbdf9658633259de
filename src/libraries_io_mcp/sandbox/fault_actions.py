"""What each fault does to a request.

`forbidden_text`, `forbidden_json`, `not_found`, `server_error`, `read_only`, `rate_limited` (429 with its headers) and
`rate_limited_bare` (without) reply as the service does in that case. `accepted` is a 202 without a body, as for an
answer that is still being made; `delay` is its `Retry-After` (none). `redirect` answers 302 to the same URL, key
included. `html` is a page with status 200, `null` the body `null`. `wrong_types` changes the type of every value of
the real answer. `huge` streams a JSON object of `size` bytes. `slow_body` sends the real answer in ten pieces, `delay`
(1 s) apart. `truncated` ends the connection in the middle of the real answer. `timeout` says nothing for `delay`
(1 hour). `bad_gateway_slow` is a 502 after `delay` (60 s). `reset` breaks the connection before any answer.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libraries_io_mcp.sandbox.connections import Connections
from libraries_io_mcp.sandbox.faults import Fault, Switchboard
from libraries_io_mcp.sandbox.quota import STANDING, Standing
from libraries_io_mcp.sandbox.replies import (
    JSON_TYPE,
    NotFoundError,
    ServiceError,
    accepted,
    bad_gateway,
    encode,
    error_reply,
    forbidden,
    json_reply,
    not_permitted,
    read_only,
    retry_later,
    web_page,
)

PIECES = 10
CHUNK = 64 * 1024


@dataclass(frozen=True)
class Exchange:
    """One request that a fault has struck, and the application that would have answered it."""

    fault: Fault
    app: ASGIApp
    connections: Connections
    scope: Scope
    receive: Receive
    send: Send

    def delay(self, default: float) -> float:
        return default if self.fault.delay is None else self.fault.delay

    @property
    def quota_headers(self) -> dict[str, str]:
        standing: Standing | None = self.scope.get(STANDING)
        return standing.headers() if standing else {}

    async def reply(self, response: Response, headers: Mapping[str, str] | None = None) -> None:
        response.headers.update(headers or {})
        await response(self.scope, self.receive, self.send)

    async def real_answer(self) -> Response:
        """What the application would have said."""
        status, headers, pieces = 500, [], []

        async def keep(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
            else:
                pieces.append(message.get("body", b""))

        await self.app(self.scope, self.receive, keep)
        texts = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        return Response(b"".join(pieces), status, texts)


Action = Callable[[Exchange], Awaitable[None]]


class FaultGate:
    """Lets a request through to the application unless a fault strikes it."""

    def __init__(self, app: ASGIApp, switchboard: Switchboard, connections: Connections) -> None:
        self._app = app
        self._switchboard = switchboard
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._switchboard.choose(scope["raw_path"].decode("latin-1"))
        if fault is None:
            await self._app(scope, receive, send)
        else:
            exchange = Exchange(fault, self._app, self._connections, scope, receive, send)
            await ACTIONS[fault.name](exchange)


def _plain(response: Callable[[], Response]) -> Action:
    """A fault that replies as an error does: without rate-limit headers."""

    async def action(exchange: Exchange) -> None:
        await exchange.reply(response())

    return action


def _counted(response: Callable[[], Response]) -> Action:
    """A fault that replies as a controller does: with rate-limit headers."""

    async def action(exchange: Exchange) -> None:
        await exchange.reply(response(), exchange.quota_headers)

    return action


async def _redirect(exchange: Exchange) -> None:
    scope = exchange.scope
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    location = f"{scope['scheme']}://{host}{path}{f'?{query}' if query else ''}"
    await exchange.reply(Response(status_code=302, headers={"location": location}), exchange.quota_headers)


async def _accepted(exchange: Exchange) -> None:
    delay = exchange.fault.delay
    wait = {} if delay is None else {"retry-after": f"{delay:.0f}"}
    await exchange.reply(accepted(), {**exchange.quota_headers, **wait})


async def _rate_limited(exchange: Exchange) -> None:
    headers = {**exchange.quota_headers, "x-ratelimit-remaining": "0"}
    await exchange.reply(retry_later(), {**headers, "retry-after": headers.get("x-ratelimit-reset", "60")})


async def _wrong_types(exchange: Exchange) -> None:
    answer = await exchange.real_answer()
    try:
        body = encode(_top_changed(json.loads(bytes(answer.body))))
    except ValueError:
        body = bytes(answer.body)
    headers = {name: value for name, value in answer.headers.items() if name not in ("content-length", "etag")}
    await exchange.reply(Response(body, answer.status_code, headers))


def _top_changed(body: object) -> object:
    """The outermost object or list keeps its shape, so that the fault is found in the fields."""
    if isinstance(body, dict):
        return {name: _changed(value) for name, value in body.items()}
    return [_top_changed(value) for value in body] if isinstance(body, list) else _changed(body)


def _changed(value: object) -> object:
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return len(value)
        case int() | float():
            return f"about {value}"
        case list():
            return {"items": len(value)}
        case dict():
            return [list(value)]
        case _:
            return {"nothing": True}


async def _huge(exchange: Exchange) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'{"description":"'
        for start in range(0, exchange.fault.size, CHUNK):
            yield b"x" * min(CHUNK, exchange.fault.size - start)
        yield b'"}'

    response = StreamingResponse(body(), 200, {"content-type": JSON_TYPE, **exchange.quota_headers})
    await response(exchange.scope, exchange.receive, exchange.send)


async def _slow_body(exchange: Exchange) -> None:
    answer = await exchange.real_answer()
    body, size = bytes(answer.body), max(1, -(-len(answer.body) // PIECES))
    await exchange.send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
    for start in range(0, len(body), size):
        await exchange.send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
        if await exchange.connections.wait(exchange.receive, exchange.delay(1.0)):
            return
    await exchange.send({"type": "http.response.body", "body": b""})


async def _truncated(exchange: Exchange) -> None:
    answer = await exchange.real_answer()
    half = bytes(answer.body)[: len(answer.body) // 2]
    await exchange.send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
    await exchange.send({"type": "http.response.body", "body": half, "more_body": True})
    await exchange.connections.close(exchange.scope, exchange.receive)


async def _timeout(exchange: Exchange) -> None:
    if not await exchange.connections.wait(exchange.receive, exchange.delay(3600.0)):
        await exchange.reply(bad_gateway())


async def _bad_gateway_slow(exchange: Exchange) -> None:
    if not await exchange.connections.wait(exchange.receive, exchange.delay(60.0)):
        await exchange.reply(bad_gateway())


async def _reset(exchange: Exchange) -> None:
    await exchange.connections.reset(exchange.scope, exchange.receive)


ACTIONS: Mapping[str, Action] = {
    "accepted": _accepted,
    "bad_gateway_slow": _bad_gateway_slow,
    "forbidden_json": _counted(not_permitted),
    "forbidden_text": _plain(forbidden),
    "html": _plain(lambda: web_page("Down for maintenance")),
    "huge": _huge,
    "not_found": _plain(lambda: error_reply(NotFoundError())),
    "null": _counted(lambda: json_reply(None)),
    "rate_limited": _rate_limited,
    "rate_limited_bare": _plain(retry_later),
    "read_only": _counted(read_only),
    "redirect": _redirect,
    "reset": _reset,
    "server_error": _plain(lambda: error_reply(ServiceError())),
    "slow_body": _slow_body,
    "timeout": _timeout,
    "truncated": _truncated,
    "wrong_types": _wrong_types,
}
