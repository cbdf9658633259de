"""How many MCP sessions, and streams of what the server says by itself, one caller and all may have open at once.

The SDK keeps the sessions and ends those that are idle; this counts along by what is asked and answered.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.types import Message, Scope

from libraries_io_mcp.http.turns import RefusedError
from libraries_io_mcp.settings import LimitSettings

_SESSION: Final = b"mcp-session-id"
_VERSION: Final = b"mcp-protocol-version"
_WITH_SESSIONS: Final = frozenset(version.encode() for version in HANDSHAKE_PROTOCOL_VERSIONS)
"""Later revisions of the protocol have none."""


@dataclass(slots=True)
class Session:
    """One that is open: whose, requests in flight, and since when there are none."""

    caller: str
    in_flight: int
    idle_since: float


class Sessions:
    """The open ones of a server that keeps sessions."""

    def __init__(self, limits: LimitSettings, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self.monotonic = monotonic
        self.by_id: dict[bytes, Session] = {}
        self.of_caller: Counter[str] = Counter()
        self.streams: Counter[str] = Counter()

    def visit(self, scope: Scope, caller: str) -> "Visit":
        """A request to the MCP route begins; `end` the visit with it.

        Raises:
            RefusedError: it would open one more session or stream than the caller, or all, may have.
        """
        name = version = None
        for header, value in scope["headers"]:
            if header == _SESSION:
                name = value
            elif header == _VERSION:
                version = value
        method = scope["method"]
        if method == "GET":
            self._check_streams(caller)
        opens = method == "POST" and name is None and (version is None or version in _WITH_SESSIONS)
        if opens:
            self._check_sessions(caller)
            self.of_caller[caller] += 1
        return Visit(self, caller, method, name, self.by_id.get(name) if name is not None else None, opens=opens)

    def forget(self, name: bytes) -> None:
        """A session has ended."""
        session = self.by_id.pop(name, None)
        if session is not None:
            take(self.of_caller, session.caller)

    def _check_sessions(self, caller: str) -> None:
        limits = self._limits
        if self._has_room(caller):
            return
        before = self.monotonic() - limits.session_idle_seconds
        for name in [each for each, it in self.by_id.items() if not it.in_flight and it.idle_since < before]:
            self.forget(name)
        if self._has_room(caller):
            return
        if self.of_caller[caller] >= limits.max_sessions_per_caller:
            raise RefusedError(
                "too_many_sessions",
                429,
                "You have too many sessions: end (DELETE) those that you no longer need. "
                f"One without requests ends after {limits.session_idle_seconds:g} seconds.",
            )
        raise RefusedError("too_many_sessions", 503, "The server has too many sessions: try again a little later.")

    def _has_room(self, caller: str) -> bool:
        limits = self._limits
        return self.of_caller[caller] < limits.max_sessions_per_caller and self.of_caller.total() < limits.max_sessions

    def _check_streams(self, caller: str) -> None:
        if self.streams[caller] >= self._limits.max_streams_per_caller:
            raise RefusedError("too_many_streams", 429, "You have too many streams open (GET): close some first.")
        if self.streams.total() >= self._limits.max_streams:
            raise RefusedError("too_many_streams", 503, "The server has too many streams open: try again later.")
        self.streams[caller] += 1


class Visit:
    """One request to the MCP route."""

    __slots__ = ("_caller", "_method", "_name", "_opens", "_session", "_sessions")

    def __init__(
        self, sessions: Sessions, caller: str, method: str, name: bytes | None, session: Session | None, *, opens: bool
    ) -> None:
        self._sessions = sessions
        self._caller = caller
        self._method = method
        self._name = name
        self._session = session
        self._opens = opens
        if session is not None:
            session.in_flight += 1

    def answered(self, start: Message) -> None:
        """The answer begins: a session is open, or has ended."""
        status = start["status"]
        if self._opens and status < 400:
            name = next((value for header, value in start["headers"] if header.lower() == _SESSION), None)
            if name is not None:
                self._opens = False
                self._session = self._sessions.by_id[name] = Session(self._caller, 1, 0.0)
            return
        ended = status == 404 or (self._method == "DELETE" and status < 300)
        if ended and self._name is not None and self._session is not None and self._session.caller == self._caller:
            self._sessions.forget(self._name)

    def end(self) -> None:
        """The request is done. To be called once."""
        if self._session is not None:
            self._session.in_flight -= 1
            self._session.idle_since = self._sessions.monotonic()
        if self._opens:
            take(self._sessions.of_caller, self._caller)
        if self._method == "GET":
            take(self._sessions.streams, self._caller)


def take(counter: Counter[str], caller: str) -> None:
    """One less; nothing is kept of who has none."""
    counter[caller] -= 1
    if counter[caller] <= 0:
        del counter[caller]
