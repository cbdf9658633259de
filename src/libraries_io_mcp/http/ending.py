"""ASGI middleware: when the server ends, each request still in flight is refused in a form that its client understands.

uvicorn would cancel them: a client saw a 500, or an event stream that breaks off.
"""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import anyio
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libraries_io_mcp.telemetry.semconv import Refusal

BODY: Final = "libraries_io.body"
"""Where in the ASGI scope the message of a request stands once it has been read."""
RETRY_SECONDS: Final = 2
"""A server that is started anew answers by then; another one behind the same proxy does at once."""
CODE: Final = -32000
"""The JSON-RPC error, the SDK's own for a connection that closes, as on stdio."""
WORDS: Final = "The server ends: ask again in a moment."

logger: Final = logging.getLogger(__name__)


class Flights:
    """The requests that are being served, until the end."""

    def __init__(self) -> None:
        self.closed = False
        """No more are served."""
        self._open: set[Flight] = set()
        self._landed = anyio.Event()

    def __len__(self) -> int:
        return len(self._open)

    def take_off(self, flight: "Flight") -> None:
        """A request begins."""
        self._open.add(flight)

    def land(self, flight: "Flight") -> None:
        """It is over."""
        self._open.discard(flight)
        if self.closed and not self._open:
            self._landed.set()

    def close(self) -> None:
        """Refuse from now on what comes; end streams that answer nothing but tell news, and never end by themselves."""
        self.closed = True
        if not self._open:
            self._landed.set()
        for each in self._open:
            if each.is_stream and each.can_be_refused and each.scope["method"] == "GET":
                each.cancelling.cancel()

    async def drain(self, seconds: float) -> None:
        """Wait until all are answered; after `seconds` begin to refuse the rest."""
        with anyio.move_on_after(seconds):
            await self._landed.wait()
        refused = [each for each in self._open if each.can_be_refused]
        if refused:
            logger.warning("%d requests are refused: the server ends", len(refused))
        for each in refused:
            each.cancelling.cancel()


class RefuseAtEnd:
    """Keeps `flights`; refuses those that are cut short, and whatever comes when they are closed."""

    def __init__(
        self, app: ASGIApp, *, path: str, flights: Flights, most_bytes: int, refused: Callable[[Refusal], None]
    ) -> None:
        """`path` is that of MCP, where a refusal is a JSON-RPC error; `most_bytes` of a request are read for its id."""
        self._app = app
        self._path = path
        self._flights = flights
        self._most_bytes = most_bytes
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of the ASGI protocol."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        flights = self._flights
        flight = Flight(scope, send, flights)
        flights.take_off(flight)
        try:
            if not flights.closed:
                with flight.cancelling:
                    await self._app(scope, receive, flight.send)
                if not flight.cancelling.cancelled_caught:
                    return
            else:
                with flight.cancelling:
                    scope[BODY] = await self._read(receive)
            await self._refuse(flight)
        finally:
            flights.land(flight)

    async def _refuse(self, flight: "Flight") -> None:
        scope = flight.scope
        error = _error(scope) if scope["path"] == self._path else None
        if not flight.has_started:
            self._refused("server_ends")
            content = error or {"error": "server_ends", "what_to_do": WORDS}
            headers = {"Cache-Control": "no-store", "Connection": "close", "Retry-After": str(RETRY_SECONDS)}
            await JSONResponse(content, 503, headers)(scope, _nothing, flight.send)
        elif flight.can_be_refused:
            last = b""
            if error is not None and scope["method"] == "POST" and not _is_answer(flight.latest):
                self._refused("server_ends")
                last = b"event: message\r\ndata: " + json.dumps(error).encode() + b"\r\n\r\n"
            await flight.send({"type": "http.response.body", "body": last, "more_body": False})

    async def _read(self, receive: Receive) -> bytes:
        body, more = bytearray(), True
        while more and len(body) <= self._most_bytes:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return bytes(body) if len(body) <= self._most_bytes else b""


class Flight:
    """One request, and how far its answer has come."""

    __slots__ = ("_flights", "_send", "cancelling", "has_ended", "has_started", "is_stream", "latest", "scope")

    def __init__(self, scope: Scope, send: Send, flights: Flights) -> None:
        self.scope = scope
        self.cancelling = anyio.CancelScope()
        self.has_started = False
        self.has_ended = False
        self.is_stream = False
        self.latest = b""
        self._send = send
        self._flights = flights

    @property
    def can_be_refused(self) -> bool:
        """Whether there is room for a refusal: nothing has been sent yet, or events, after which one more may come."""
        return not self.has_started or (self.is_stream and not self.has_ended)

    async def send(self, message: Message) -> None:
        """Send a part of the answer; from the end on, one that closes its connection."""
        if message["type"] == "http.response.start":
            headers = message["headers"]
            self.is_stream = any(
                name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers
            )
            if self._flights.closed:
                kept = [each for each in headers if each[0] != b"connection"]
                message = {**message, "headers": [*kept, (b"connection", b"close")]}
            self.has_started = True
        else:
            self.latest = message.get("body", b"")
            self.has_ended = not message.get("more_body")
        await self._send(message)


def _error(scope: Scope) -> dict[str, Any]:
    """The JSON-RPC error that answers a request; its id is `None` if it has none that can be read."""
    number = None
    with suppress(ValueError, RecursionError):
        message = json.loads(scope.get(BODY, b""))
        given = message.get("id") if isinstance(message, dict) else None
        number = given if isinstance(given, int | str) and not isinstance(given, bool) else None
    return {"jsonrpc": "2.0", "id": number, "error": {"code": CODE, "message": WORDS}}


def _is_answer(event: bytes) -> bool:
    """Whether an event is an answer already; nothing but the end of the stream would have followed it."""
    with suppress(ValueError):
        return "method" not in json.loads(event.partition(b"data: ")[2])
    return False


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
