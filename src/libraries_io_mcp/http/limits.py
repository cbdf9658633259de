"""ASGI middleware: how large and how many the calls of one caller, and of all, may be."""

import asyncio
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from fastmcp.server.dependencies import get_http_request
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libraries_io_mcp.http.answers import ASKS_PROGRESS, asks_progress
from libraries_io_mcp.http.bodies import Body, Room
from libraries_io_mcp.http.ending import BODY
from libraries_io_mcp.http.pace import Pace
from libraries_io_mcp.http.sessions import Sessions, Visit
from libraries_io_mcp.http.turns import Gate, RefusedError, Turns, answer_to
from libraries_io_mcp.settings import LimitSettings
from libraries_io_mcp.telemetry.semconv import HttpLimit, Refusal

CALLER: Final = "libraries_io.caller"
"""Where the caller's name stands in the ASGI scope."""
OF_BODIES: Final = frozenset({"body_too_large", "json_too_deep", "json_too_many_values"})
SMALL: Final = 4_096
"""A message up to this size that has no id is a notification: it is let through when no call would be."""


class Places:
    """What all requests together share: places for calls, turns, sessions, and room for bodies."""

    def __init__(self, limits: LimitSettings, monotonic: Callable[[], float], *, keeps_sessions: bool) -> None:
        self.limits = limits
        self.gate = Gate(limits)
        self.turns = Turns(monotonic)
        self.pace = Pace(monotonic, asyncio.sleep, lambda: self.turns.mixed)
        self.room = Room(limits)
        self.sessions = Sessions(limits, monotonic) if keeps_sessions else None

    def in_use(self) -> Mapping[HttpLimit, tuple[int, int]]:
        """How much of each limit for all callers is used, and how much there is."""
        limits = self.limits
        found: dict[HttpLimit, tuple[int, int]] = {
            "calls": (self.gate.running, limits.max_concurrent_calls),
            "queued_calls": (self.gate.queued, limits.max_queued_calls),
            "held_bytes": (self.room.used, limits.max_held_bytes),
        }
        if self.sessions is not None:
            found["sessions"] = (self.sessions.of_caller.total(), limits.max_sessions)
            found["streams"] = (self.sessions.streams.total(), limits.max_streams)
        return found


class LimitCalls:
    """Refuses what is too large, too deep or too much at once on the MCP route; notes the caller on every route."""

    def __init__(
        self, app: ASGIApp, *, path: str, places: Places, logs_in: bool, refused: Callable[[Refusal], None]
    ) -> None:
        """`logs_in`: callers must; then nothing is read of those who have not. `refused` counts refusals."""
        self._app = app
        self._path = path
        self._places = places
        self._logs_in = logs_in
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of the ASGI protocol."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = scope[CALLER] = caller_of(scope)
        stranger = self._logs_in and not isinstance(scope.get("user"), AuthenticatedUser)
        is_mcp = scope["path"] == self._path and not stranger
        places = self._places
        passage = Passage(places.turns, send)
        try:
            source = await self._admit(scope, receive, passage) if is_mcp and scope["method"] == "POST" else receive
            if source is None:
                return
            passage.turn = await places.turns.begin(caller)
            if is_mcp and places.sessions is not None:
                passage.visit = places.sessions.visit(scope, caller)
            await self._app(scope, source, passage.send)
        except RefusedError as refusal:
            if passage.has_started:
                raise
            self._refused(refusal.reason)
            if passage.body is not None and refusal.reason in OF_BODIES:
                # Until it has its answer the rest of the body stays where it is.
                passage.body.free()
                most = 2 * places.limits.max_request_bytes
                await places.pace.keep(caller, min(passage.body.expected, most), passage.body.values)
            # Refusing takes its time as well.
            passage.turn = passage.turn or await places.turns.begin(caller)
            await answer_to(refusal)(scope, receive, passage.send)
        finally:
            passage.end()

    async def _admit(self, scope: Scope, receive: Receive, passage: "Passage") -> Receive | None:
        """Where the application gets the message from, when all of it is here and a call has its place.

        `None`: the client left.
        """
        places = self._places
        passage.body = Body(places.limits, places.room, scope[CALLER])
        body = await passage.body.read(scope, receive)
        if body is None:
            return None
        await places.pace.keep(scope[CALLER], len(body), passage.body.values)
        if len(body) > SMALL or b'"id"' in body:
            passage.leave = await places.gate.place(scope[CALLER])
        scope[BODY] = body
        scope[ASKS_PROGRESS] = asks_progress(body)
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        return replay


class Passage:
    """A request while it is served, and what it holds: its caller's turn, its body, a place if it is a call."""

    __slots__ = ("_send", "_turns", "body", "has_started", "leave", "turn", "visit")

    def __init__(self, turns: Turns, send: Send) -> None:
        self._turns = turns
        self._send = send
        self.has_started = False
        self.turn: object = None
        self.body: Body | None = None
        self.leave: Callable[[], None] | None = None
        self.visit: Visit | None = None

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if not self.has_started:
            self.has_started = True
            if self.visit is not None:
                self.visit.answered(message)
        if self.leave is not None and message["type"] == "http.response.body" and not message.get("more_body"):
            # Whoever has the end of the answer may ask again at once, before the work behind it is all done.
            self.leave()
        await self._send(message)

    def end(self) -> None:
        """Give back what it holds."""
        self._turns.end(self.turn)
        if self.body is not None:
            self.body.free()
        if self.leave is not None:
            self.leave()
        if self.visit is not None:
            self.visit.end()


def caller_of(scope: Scope) -> str:
    """Who calls: whom the token names, else the client's address; of IPv6 the network, since one client has many."""
    user = scope.get("user")
    if isinstance(user, AuthenticatedUser):
        token = user.access_token
        subject = (getattr(token, "claims", None) or {}).get("sub")
        return f"token {subject or token.client_id}"
    return _client(scope["client"][0] if scope.get("client") else "")


@lru_cache(maxsize=1_024)
def _client(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return f"client {host[:64]}"
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or ip_network((address, 64), strict=False).network_address
    return f"client {address}"


def current_caller() -> str:
    """Who calls just now, for the turns at the quota; nobody in particular outside of an HTTP request."""
    try:
        return str(get_http_request().scope.get(CALLER, ""))
    except RuntimeError:
        return ""
