"""Connections: heads that could be read in two ways are refused, and so is whoever keeps the server waiting.

uvicorn serves HTTP/1.1 by h11, has no deadline but for idle connections, and reads some things that proxies may read
otherwise. `docs/decisions/limits.md` says what is stricter here.
"""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from libraries_io_mcp.settings import LimitSettings
from libraries_io_mcp.telemetry.semconv import Refusal

_AMBIGUOUS: Final = re.compile(rb"(?<!\r)\n|\r(?=[^\n])|\n[ \t]|\x00")
"""A line that ends in one character, a header that goes on in the next line, and zero bytes."""
_LENGTHS: Final = re.compile(rb"\ncontent-length[ \t]*:([^\r]*)", re.IGNORECASE)
_FULL_BODY: Final = b'{"error":"too_many_connections","what_to_do":"Try again a little later."}'
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 5\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(_FULL_BODY), _FULL_BODY)
)


class StrictConnection(h11.Connection):
    """Takes no head that somebody else could read otherwise, and none that is too large."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(h11.SERVER, most_bytes)
        self._most_bytes = most_bytes

    def next_event(self) -> Any:
        """What comes next.

        Raises:
            RemoteProtocolError: with the status to answer with.
        """
        if self.their_state is h11.IDLE:
            self._look_at_head()
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._look_at_request(event)
        return event

    def _look_at_head(self) -> None:
        received = self.trailing_data[0]
        end = received.find(b"\r\n\r\n")
        head = received if end < 0 else received[:end]
        if len(head) > self._most_bytes:
            raise h11.RemoteProtocolError("the head is too large", error_status_hint=431)
        lengths = _LENGTHS.findall(head)
        if _AMBIGUOUS.search(head) or len(lengths) > 1 or any(b"," in length for length in lengths):
            raise h11.RemoteProtocolError("the head is ambiguous", error_status_hint=400)

    def _look_at_request(self, request: h11.Request) -> None:
        names = {name for name, _ in request.headers}
        if request.http_version not in (b"1.0", b"1.1"):
            raise h11.RemoteProtocolError("not HTTP/1", error_status_hint=400)
        # The framing that one of two servers overlooks hides a request in the body of another.
        if b"transfer-encoding" in names and (b"content-length" in names or request.http_version < b"1.1"):
            raise h11.RemoteProtocolError("two lengths", error_status_hint=400)


class Door:
    """All connections: closes those that keep the server waiting for too long, or in the way of others."""

    def __init__(
        self, limits: LimitSettings, refused: Callable[[Refusal], None], monotonic: Callable[[], float]
    ) -> None:
        self.limits = limits
        self.refused = refused
        self.monotonic = monotonic
        self.connections: set[GuardedConnection] = set()
        # In the order in which the server began to wait for them.
        self.awaited: dict[GuardedConnection, None] = {}

    async def watch(self) -> None:
        """Look after them for ever."""
        limits = self.limits
        pause = min(1.0, limits.header_seconds / 4, limits.body_seconds / 4, limits.send_seconds / 4)
        while True:
            await asyncio.sleep(pause)
            now = self.monotonic()
            for each in tuple(self.connections):
                each.check(now)

    def make_room(self, newcomer: "GuardedConnection") -> bool:
        """Whether there is room for one more: the connection that is waited for longest goes."""
        if len(self.connections) <= self.limits.max_connections:
            return True
        self.refused("too_many_connections")
        longest = next((each for each in self.awaited if each is not newcomer), None)
        if longest is None:
            return False
        longest.cut()
        return True


class GuardedConnection(H11Protocol):
    """One connection. What of a request has not arrived, or of an answer not been read, has its time."""

    def __init__(self, door: Door, **given: Any) -> None:
        super().__init__(**given)
        self.conn = StrictConnection(door.limits.max_header_bytes)
        self._door = door
        self._phase: tuple[str, object] = ("", None)
        self._since = 0.0
        self._body_of: object = None
        self._body_bytes = 0
        self._pipelined = 0
        self._unread_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the library
        """A client has connected."""
        super().connection_made(transport)
        self._door.connections.add(self)
        self._door.awaited[self] = None
        self._note("head")
        if not self._door.make_room(self):
            transport.write(_FULL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            # Also what is left of a request that has been refused is read, so that the client sees the answer.
            if self._body_of is not self.cycle:
                self._body_of, self._body_bytes = self.cycle, 0
            self._body_bytes += len(data)
            if self._body_bytes > 2 * self._door.limits.max_request_bytes:
                self.transport.abort()
        elif state is not h11.IDLE:
            self._door.awaited.pop(self, None)

    def on_response_complete(self) -> None:
        """An answer is out."""
        # Whoever sends the next request before has not read this one, and need not read any.
        self._pipelined = self._pipelined + 1 if self.conn.trailing_data[0] else 0
        if self._pipelined > self._door.limits.max_pipelined_requests and not self.transport.is_closing():
            self._door.refused("pipelined")
            self._refuse_next(429, "Too many requests at once on one connection: wait for an answer now and then.")
            return
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._door.awaited[self] = None

    def pause_writing(self) -> None:
        """The client does not read what is sent to it."""
        self._unread_since = self._door.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        """It does again."""
        self._unread_since = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what can't be read."""
        conn = self.conn
        head = conn.trailing_data[0]
        large = len(head) > self._door.limits.max_header_bytes
        self._door.refused("headers_too_large" if large else "malformed")
        self.refuse(431 if large else 400, msg)

    def refuse(self, status: int, text: str) -> None:
        """Answer, if nothing was answered yet, and close."""
        cycle = self._cycle()
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        body = text.encode("ascii")
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase.encode()),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _refuse_next(self, status: int, text: str) -> None:
        """Refuse what was sent after a request that is answered."""
        if self.conn.our_state is h11.DONE and self.conn.their_state is h11.DONE:
            self.conn.start_next_cycle()
        self.refuse(status, text)

    def cut(self) -> None:
        """Close it for the sake of others."""
        self.leave()
        self.transport.abort()

    def leave(self) -> None:
        """It is no longer one of the server's connections."""
        self._door.connections.discard(self)
        self._door.awaited.pop(self, None)

    def check(self, now: float) -> None:
        """Refuse it if it keeps the server waiting for too long."""
        limits = self._door.limits
        if self._unread_since is not None and now - self._unread_since > limits.send_seconds:
            self._door.refused("slow_reader")
            self.transport.abort()
            return
        phase = self._now_in()
        if (phase, self.cycle) != self._phase:
            self._note(phase)
            return
        waited = now - self._since
        if phase == "head" and waited > limits.header_seconds:
            self._door.refused("slow_headers")
            self.refuse(408, "The head of the request did not arrive in time.")
        elif phase == "body" and waited > limits.body_seconds:
            self._door.refused("slow_body")
            self.refuse(408, "The body of the request did not arrive in time.")
        elif phase == "closing" and waited > limits.send_seconds:
            self._door.refused("slow_reader")
            self.transport.abort()

    def _cycle(self) -> RequestResponseCycle | None:
        """The latest request; `None` before the first one, whatever the library's types say."""
        return self.cycle

    def _now_in(self) -> str:
        if self.transport.is_closing():
            return "closing"
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            return "body"
        # Between two requests the library's own time-out holds.
        return "head" if state is h11.IDLE and (self._cycle() is None or self.conn.trailing_data[0]) else ""

    def _note(self, phase: str) -> None:
        self._phase = (phase, self.cycle)
        self._since = self._door.monotonic()
