"""The quota: fixed windows aligned to the service's clock, counted before a request is sent, corrected by replies.

`limits` keeps the counters (in memory, or in Redis for several processes with one key). Its own windows begin at the
first request, so the window's index is part of the counter's name here.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

import httpx
from limits.aio.storage import Storage
from pydantic import SecretStr

from libraries_io_mcp.errors import QuotaExceededError
from libraries_io_mcp.librariesio.faults import retry_after_of
from libraries_io_mcp.librariesio.question import Priority, Question, question_of
from libraries_io_mcp.librariesio.service_clock import ServiceClock
from libraries_io_mcp.telemetry.instruments import Instruments

KEYED_WINDOW_SECONDS: Final = 60
ANONYMOUS_WINDOW_SECONDS: Final = 3600
ANONYMOUS_LIMIT: Final = 10
ANSWER_SECONDS: Final = 0.25
"""A wait must leave this much of the deadline for the answer itself."""
ARRIVAL_SECONDS: Final = 5.0
"""A request that was sent this long ago has been counted by the service."""
BATCH_RESERVE: Final = 0.1
"""Part of the limit that a batch leaves for interactive questions."""


@dataclass(frozen=True, slots=True)
class QuotaStatus:
    """The budget as this process knows it; asking for it costs no request.

    Attributes:
        limit: requests that a window allows.
        remaining: requests left in the current window.
        resets_in_seconds: until the next window begins.
        window_seconds: length of a window: 60 with a key, 3600 without.
        known_from: `service` once a reply's headers said the limit, else `configuration`.
        waiting: questions that wait for their turn now.
    """

    limit: int
    remaining: int
    resets_in_seconds: float
    window_seconds: int
    key_present: bool
    known_from: Literal["configuration", "service"]
    waiting: int


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to send one request: when it was given (epoch seconds) and the seconds waited for it."""

    sent: float
    waited: float


class Quota:
    """The budget of one key, or of this machine's address without one."""

    def __init__(
        self,
        storage: Storage,
        *,
        key: SecretStr | None,
        limit: int,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._storage = storage
        self._now = now
        self._sleep = sleep
        self._key_present = key is not None
        self._name = _identity(key)
        self._limit = limit if key else ANONYMOUS_LIMIT
        self._limit_from_service = False
        self._clock = ServiceClock(KEYED_WINDOW_SECONDS if key else ANONYMOUS_WINDOW_SECONDS)
        # asyncio.Lock wakes its waiters in the order they came: that is the waiting line.
        self._lines = {"interactive": asyncio.Lock(), "batch": asyncio.Lock()}
        self._waiting = {"interactive": 0, "batch": 0}
        self._sent_at: list[float] = []
        self._window = -1
        self._used = 0
        self._refused_until = 0.0

    def status(self) -> QuotaStatus:
        """The budget now."""
        now = self._now()
        used = self._used if self._clock.latest_window(now) == self._window else 0
        refused = self._refused_until - now
        remaining = 0 if refused > 0 else max(self._limit - used, 0)
        return QuotaStatus(
            limit=self._limit,
            remaining=remaining,
            resets_in_seconds=round(refused if refused > 0 else self._clock.seconds_until_next(now), 3),
            window_seconds=self._clock.window,
            key_present=self._key_present,
            known_from="service" if self._limit_from_service else "configuration",
            waiting=sum(self._waiting.values()),
        )

    async def acquire(self, question: Question) -> Permit:
        """Take one request out of the budget, waiting in line for it if need be. `release` the permit afterwards.

        Raises:
            QuotaExceededError: at once, when the wait would not end before the question's deadline.
        """
        start = self._now()
        self._check_deadline(question, self._expected_wait(question))
        self._waiting[question.priority] += 1
        try:
            async with self._lines[question.priority]:
                while (wait := await self._take(question)) > 0:
                    self._check_deadline(question, wait)
                    await self._sleep(wait)
        finally:
            self._waiting[question.priority] -= 1
        self._sent_at.append(self._now())
        return Permit(sent=self._sent_at[-1], waited=max(self._sent_at[-1] - start, 0.0))

    def release(self, permit: Permit) -> None:
        """The request has ended, one way or the other."""
        self._sent_at.remove(permit.sent)

    async def learn(self, reply: httpx.Response, *, sent: float) -> None:
        """Correct the count, the limit and the clock by what a reply says about them."""
        received = self._now()
        limit, remaining, reset = (_number(reply, name) for name in ("limit", "remaining", "reset"))
        if reset is not None and self._clock.learn(reset, sent=sent, received=received) and self._window >= 0:
            # What was counted under the old index was counted by the service in the window it is in.
            await self._enter(self._clock.latest_window(received), carried=self._used)
        if limit is not None:
            self._limit, self._limit_from_service = limit, True
        if reply.status_code == 429:
            wait = retry_after_of(reply) or reset or self._clock.seconds_until_next(received)
            self._refused_until = max(self._refused_until, received + wait)
        elif limit is not None and remaining is not None and self._clock.current_window(received) == self._window:
            missed = limit - remaining - self._used
            if missed > 0:
                await self._count(missed)

    async def _take(self, question: Question) -> float:
        """Count one request and return 0, or return the seconds after which to try again."""
        now = self._now()
        if now < self._refused_until:
            return self._refused_until - now
        window = self._clock.current_window(now)
        if window is None:
            return self._clock.seconds_until_next(now)
        if window != self._window:
            # What is still on its way may arrive in this window and be counted there.
            await self._enter(window, carried=sum(now - sent < ARRIVAL_SECONDS for sent in self._sent_at))
        allowed = self._allowed(question.priority)
        self._used = await self._storage.get(self._counter())
        if self._used >= allowed or await self._count(1) > allowed:
            return self._clock.seconds_until_next(now)
        return 0.0

    async def _enter(self, window: int, *, carried: int) -> None:
        if window != self._window:
            self._window, self._used = window, 0
            await self._count(carried)

    async def _count(self, amount: int) -> int:
        if amount:
            # An entry must outlive its window, however late in it the first request came.
            self._used = await self._storage.incr(self._counter(), 2 * self._clock.window, amount)
        return self._used

    def _counter(self) -> str:
        return f"libraries_io_mcp/quota/{self._name}/{self._clock.window}/{self._window}"

    def _allowed(self, priority: Priority) -> int:
        # With a limit of 0 one request a window still goes out, to learn when the key is given more.
        limit = max(self._limit, 1)
        if priority == "interactive":
            return limit
        return max(limit - int(limit * BATCH_RESERVE) - self._waiting["interactive"], 1)

    def _expected_wait(self, question: Question) -> float:
        ahead, allowed, status = self._waiting[question.priority], self._allowed(question.priority), self.status()
        free = max(status.remaining - status.limit + allowed, 0)
        if free > ahead:
            return 0.0
        return status.resets_in_seconds + (ahead - free) // allowed * self._clock.window

    def _check_deadline(self, question: Question, wait: float) -> None:
        if wait and self._now() + wait + ANSWER_SECONDS > question.deadline:
            raise QuotaExceededError(
                f"The quota of {self._limit} requests per {self._clock.window} seconds is used up.",
                retry_after=round(wait, 1),
            )


class RateLimitTransport(httpx.AsyncBaseTransport):
    """Lets requests pass as the quota allows, and tells the quota what came back."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, quota: Quota, instruments: Instruments) -> None:
        self._inner = inner
        self._quota = quota
        self._instruments = instruments

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send when it is this request's turn.

        Raises:
            QuotaExceededError: its turn would come too late.
        """
        question = question_of(request)
        permit = await self._quota.acquire(question)
        try:
            self._instruments.quota_wait(question.endpoint, permit.waited)
            reply = await self._inner.handle_async_request(request)
            await self._quota.learn(reply, sent=permit.sent)
        finally:
            self._quota.release(permit)
            status = self._quota.status()
            self._instruments.quota(status.limit, status.remaining)
        return reply

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()


def _identity(key: SecretStr | None) -> str:
    """A name for the budget that does not tell the key."""
    return hashlib.sha256(key.get_secret_value().encode()).hexdigest()[:12] if key else "anonymous"


def _number(reply: httpx.Response, name: str) -> int | None:
    text = reply.headers.get(f"x-ratelimit-{name}", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
