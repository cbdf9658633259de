"""Places and turns: how many requests of one caller, and of all, are worked on, and whose is next."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from starlette.responses import JSONResponse

from libraries_io_mcp.settings import LimitSettings
from libraries_io_mcp.telemetry.semconv import Refusal

RETRY_SECONDS: Final[dict[Refusal, int]] = {
    "caller_busy": 1,
    "server_busy": 5,
    "too_many_bytes": 5,
    "too_many_sessions": 60,
    "too_many_streams": 60,
}
MIXED_SECONDS: Final = 1.0
"""For so long after requests of two callers they take turns."""
TURN_SECONDS: Final = 0.005
"""A request that takes longer waits for somebody else, most likely: meanwhile the next one begins."""


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
        self.running = 0
        self.queued = 0
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
        if self.running < self._limits.max_concurrent_calls:
            self.running += 1
            return
        busy = RefusedError("server_busy", 503, "The server has too many calls at once: try again a little later.")
        if self.queued >= self._limits.max_queued_calls:
            raise busy
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(caller, deque()).append(turn)
        self.queued += 1
        try:
            async with asyncio.timeout(self._limits.queue_seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                # It was let in at the very moment it gave up.
                self._leave()
            raise busy from None if isinstance(error, TimeoutError) else error
        finally:
            self.queued -= 1

    def _leave(self) -> None:
        """Hand the place to whoever waits."""
        if next_of(self._queues) is None:
            self.running -= 1


class Turns:
    """While several callers ask, one request is begun after the other, by turns of the callers.

    Everything runs on one event loop: without this, who sends on a hundred connections would have a hundred times the
    processor that who sends on one has. A caller that is alone never waits here.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._latest = ""
        self._mixed_until = 0.0
        self._holder: object = None
        self._since = 0.0
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}
        self._look: asyncio.TimerHandle | None = None

    @property
    def mixed(self) -> bool:
        """Whether several callers ask just now."""
        return self._monotonic() < self._mixed_until

    async def begin(self, caller: str) -> object:
        """Wait for the turn of the caller's request; `end` what is returned when it is done. `None`: nobody is held up.

        Nothing is awaited when no turn is taken or the turn is free.
        """
        now = self._monotonic()
        if caller != self._latest:
            self._mixed_until = now + MIXED_SECONDS if self._latest else now
            self._latest = caller
        if now >= self._mixed_until and not self._lines:
            return None
        if self._holder is None or (not self._lines and now - self._since > TURN_SECONDS):
            self._holder, self._since = object(), now
            return self._holder
        return await self._wait(caller)

    def end(self, turn: object) -> None:
        """The request is done; ending it again does nothing."""
        if turn is not None and turn is self._holder:
            self._next()

    async def _wait(self, caller: str) -> object:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._lines.setdefault(caller, deque()).append(turn)
        if self._look is None:
            self._look = loop.call_later(TURN_SECONDS, self._go_on, loop)
        try:
            await turn
        except BaseException:
            self.end(turn)
            raise
        return turn

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Leave one that takes long to itself."""
        if self._monotonic() - self._since >= TURN_SECONDS:
            self._next()
        self._look = loop.call_later(TURN_SECONDS, self._go_on, loop) if self._lines else None

    def _next(self) -> None:
        self._holder, self._since = next_of(self._lines), self._monotonic()


def next_of(lines: dict[str, deque[asyncio.Future[None]]]) -> asyncio.Future[None] | None:
    """Let in the first of the caller whose turn it is, and put that caller at the end; `None` if nobody waits."""
    while lines:
        caller, line = next(iter(lines.items()))
        turn = line.popleft()
        # Its caller goes to the end of the line of callers.
        del lines[caller]
        if line:
            lines[caller] = line
        if not turn.done():
            turn.set_result(None)
            return turn
    return None


def answer_to(refusal: RefusedError) -> JSONResponse:
    """What a request gets that is not served."""
    headers = {"Cache-Control": "no-store"}
    if refusal.reason in RETRY_SECONDS:
        headers["Retry-After"] = str(RETRY_SECONDS[refusal.reason])
    return JSONResponse({"error": refusal.reason, "what_to_do": refusal.what_to_do}, refusal.status, headers)
