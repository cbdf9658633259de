"""ASGI middleware: how large, how deep and how many the calls of one caller, and of all, may be."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from fastmcp.server.dependencies import get_http_request
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libraries_io_mcp.settings import LimitSettings
from libraries_io_mcp.telemetry.semconv import Refusal

CALLER: Final = "libraries_io.caller"
"""Where the caller's name stands in the ASGI scope."""
QUEUE_SECONDS: Final = 30.0
"""How long a call may wait for one of the places."""
RETRY_SECONDS: Final[dict[Refusal, int]] = {"caller_busy": 1, "server_busy": 5}
SMALL: Final = 4_096
"""A message up to this size that has no id is a notification: it is let through when no call would be."""
_BRACKETS: Final = bytes(range(256)).translate(None, b"[]{}")
_SQUARE: Final = bytes.maketrans(b"{}", b"[]")


class RefusedError(Exception):
    """A request that is not served."""

    def __init__(self, reason: Refusal, status: int, what_to_do: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.what_to_do = what_to_do


class Gate:
    """Places for calls. Those that wait are let in by turns of their callers, the longest wait of each first."""

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits
        self._running = 0
        self._queued = 0
        self._of_caller: Counter[str] = Counter()
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}

    async def place(self, caller: str) -> Callable[[], None]:
        """Have a place, until what is returned is called; calling it again does nothing.

        Raises:
            RefusedError: the caller has too many calls, or too many wait.
        """
        if self._of_caller[caller] >= self._limits.max_concurrent_calls_per_caller:
            raise RefusedError("caller_busy", 429, "You have too many calls at once: let some end first.")
        self._of_caller[caller] += 1
        try:
            await self._enter(caller)
        except BaseException:
            self._gone(caller)
            raise
        held = True

        def leave() -> None:
            nonlocal held
            if held:
                held = False
                self._leave()
                self._gone(caller)

        return leave

    def _gone(self, caller: str) -> None:
        self._of_caller[caller] -= 1
        if not self._of_caller[caller]:
            del self._of_caller[caller]

    async def _enter(self, caller: str) -> None:
        if self._running < self._limits.max_concurrent_calls:
            self._running += 1
            return
        busy = RefusedError("server_busy", 503, "The server has too many calls at once: try again a little later.")
        if self._queued >= self._limits.max_queued_calls:
            raise busy
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(caller, deque()).append(turn)
        self._queued += 1
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                # It was let in at the very moment it gave up.
                self._leave()
            raise busy from None if isinstance(error, TimeoutError) else error
        finally:
            self._queued -= 1

    def _leave(self) -> None:
        """Hand the place to whoever waits."""
        while self._queues:
            caller, queue = next(iter(self._queues.items()))
            turn = queue.popleft()
            # Its caller goes to the end of the line of callers.
            del self._queues[caller]
            if queue:
                self._queues[caller] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self._running -= 1


class LimitCalls:
    """Refuses what is too large, too deep or too much at once on the MCP route; notes the caller on every route."""

    def __init__(
        self, app: ASGIApp, *, path: str, limits: LimitSettings, logs_in: bool, refused: Callable[[Refusal], None]
    ) -> None:
        """`logs_in`: callers must; then nothing is read of those who have not. `refused` counts refusals."""
        self._app = app
        self._path = path
        self._limits = limits
        self._logs_in = logs_in
        self._refused = refused
        self._gate = Gate(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of the ASGI protocol."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[CALLER] = caller_of(scope)
        stranger = self._logs_in and not isinstance(scope.get("user"), AuthenticatedUser)
        if scope["path"] != self._path or scope["method"] != "POST" or stranger:
            await self._app(scope, receive, send)
            return
        started = False

        async def noting_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._limited(scope, receive, noting_start)
        except RefusedError as refusal:
            if started:
                raise
            self._refused(refusal.reason)
            await _answer(refusal)(scope, receive, send)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._read(scope, receive)
        if body is None:
            return
        if deeper_than(body, self._limits.max_json_depth):
            raise RefusedError(
                "json_too_deep",
                400,
                f"Nest the JSON no deeper than {self._limits.max_json_depth} (MCP_MAX_JSON_DEPTH).",
            )
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        if len(body) <= SMALL and b'"id"' not in body:
            await self._app(scope, replay, send)
            return
        del body
        leave = await self._gate.place(scope[CALLER])

        async def leaving_at_the_end(message: Message) -> None:
            # Whoever has the end of the answer may ask again at once, before the work behind it is all done.
            if message["type"] == "http.response.body" and not message.get("more_body"):
                leave()
            await send(message)

        try:
            await self._app(scope, replay, leaving_at_the_end)
        finally:
            leave()

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body; `None` if the client left."""
        most = self._limits.max_request_bytes
        too_large = RefusedError("body_too_large", 413, f"Send no more than {most} bytes (MCP_MAX_REQUEST_BYTES).")
        announced = Headers(scope=scope).get("content-length", "0")
        if len(announced) > 15 or int(announced) > most:
            raise too_large
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            if size > most:
                raise too_large
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts) if len(parts) > 1 else parts[0]


def caller_of(scope: Scope) -> str:
    """Who calls: whom the token names, else the client's address; of IPv6 the network, since one client has many."""
    user = scope.get("user")
    if isinstance(user, AuthenticatedUser):
        token = user.access_token
        subject = (getattr(token, "claims", None) or {}).get("sub")
        return f"token {subject or token.client_id}"
    host = scope["client"][0] if scope.get("client") else ""
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


def deeper_than(body: bytes, depth: int) -> bool:
    """Whether a JSON text is nested deeper. Milliseconds for megabytes; what is no JSON may be taken either way."""
    if body.count(b"[") + body.count(b"{") <= depth:
        return False
    # Without escaped quotes every other piece between quotes is outside of strings.
    outside = b"".join(body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    rest = outside.translate(None, _BRACKETS).translate(_SQUARE)
    for _ in range(depth):
        # Each pass takes away the innermost brackets, and with them one level.
        shorter = rest.replace(b"[]", b"")
        if len(shorter) == len(rest):
            break
        rest = shorter
    return b"[]" in rest or rest.count(b"[") > depth


def _answer(refusal: RefusedError) -> JSONResponse:
    headers = {"Cache-Control": "no-store"}
    if refusal.reason in RETRY_SECONDS:
        headers["Retry-After"] = str(RETRY_SECONDS[refusal.reason])
    return JSONResponse({"error": refusal.reason, "what_to_do": refusal.what_to_do}, refusal.status, headers)
