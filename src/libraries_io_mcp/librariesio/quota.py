"""The quota: fixed windows aligned to the service's clock, counted before a request is sent, corrected by replies."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

import httpx
from pydantic import SecretStr

from libraries_io_mcp.errors import QuotaExceededError
from libraries_io_mcp.librariesio.counters import Counters
from libraries_io_mcp.librariesio.faults import retry_after_of
from libraries_io_mcp.librariesio.question import Priority, Question
from libraries_io_mcp.librariesio.service_clock import ServiceClock
from libraries_io_mcp.librariesio.shares import Shares

KEYED_WINDOW_SECONDS: Final = 60
ANONYMOUS_WINDOW_SECONDS: Final = 3600
ANONYMOUS_LIMIT: Final = 10
ANSWER_SECONDS: Final = 0.25
"""A wait must leave this much of the deadline for the answer itself."""
ARRIVAL_SECONDS: Final = 5.0
"""A request that was sent this long ago has been counted by the service."""
CONCURRENCY: Final[dict[Priority, int]] = {"interactive": 10, "batch": 6}
"""Requests in flight at most; each priority has its own, so that a slow batch never holds up an interactive one."""
PROGRESS_SECONDS: Final = 1.0
SHARE_SECONDS: Final = 1.0
"""How often a caller that has had its share looks whether the others have left it something."""
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
    """Leave to send one request: when it was given (epoch seconds), the seconds it was held up, and its window."""

    sent: float
    waited: float
    priority: Priority
    window: int


class Quota:
    """The budget of one key, or of this machine's address without one.

    `now` is epoch seconds, for the windows; `monotonic` never jumps, for deadlines and for how long a 429 holds.
    """

    def __init__(
        self,
        counters: Counters,
        *,
        key: SecretStr | None,
        limit: int,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        replicas: Callable[[], int] = lambda: 1,
    ) -> None:
        """`replicas`: how many processes have this budget; each gets its part when they can't count together."""
        self._counters = counters
        self._replicas = replicas
        self._mine = 0
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._key_present = key is not None
        self._name = _identity(key)
        self._limit = limit if key else ANONYMOUS_LIMIT
        self._limit_from_service = False
        self._clock = ServiceClock(KEYED_WINDOW_SECONDS if key else ANONYMOUS_WINDOW_SECONDS)
        # asyncio.Lock wakes its waiters in the order they came: that is the waiting line. Each caller has a line of its
        # own and only the head of it stands in the common one, so that the callers take turns.
        self._own_lines: dict[tuple[Priority, str], asyncio.Lock] = {}
        self._lines = {"interactive": asyncio.Lock(), "batch": asyncio.Lock()}
        self._slots = {name: asyncio.Semaphore(count) for name, count in CONCURRENCY.items()}
        self._waiting: dict[Priority, Counter[str]] = {"interactive": Counter(), "batch": Counter()}
        self._shares = Shares()
        self._left = {"interactive": 0, "batch": 0}
        self._sent_at: list[float] = []
        self._correcting = asyncio.Lock()
        self._window = -1
        self._used = 0
        # The window, what all had used of it and what this process had, as they were counted together last.
        self._seen = (-1, 0, 0)
        self._refused_until = 0.0

    @property
    def name(self) -> str:
        """What the budget is called among those who share it. It does not tell the key."""
        return self._name

    def status(self) -> QuotaStatus:
        """The budget now."""
        now = self._now()
        used = self._used if self._clock.latest_window(now) == self._window else 0
        refused = self._refused_until - self._monotonic()
        mine = self._mine if used else 0
        remaining = 0 if refused > 0 else max(min(self._limit - used, self._part(self._limit) - mine), 0)
        return QuotaStatus(
            limit=self._limit,
            remaining=remaining,
            resets_in_seconds=round(refused if refused > 0 else self._clock.seconds_until_next(now), 3),
            window_seconds=self._clock.window,
            key_present=self._key_present,
            known_from="service" if self._limit_from_service else "configuration",
            waiting=sum(line.total() for line in self._waiting.values()),
        )

    async def acquire(self, question: Question) -> Permit:
        """Take one request out of the budget, waiting in line for it if need be. `release` the permit afterwards.

        Raises:
            QuotaExceededError: at once, when the wait would not end before the question's deadline.
        """
        start, held_up, line = self._monotonic(), False, None
        while line is None:
            line, waited = await self._stand_in_line(question)
            held_up |= waited
        question.turn_at = None
        sent = self._now()
        self._sent_at.append(sent)
        return Permit(sent, self._monotonic() - start if held_up else 0.0, line, self._window)

    def release(self, permit: Permit) -> None:
        """The request has ended, one way or the other."""
        self._sent_at.remove(permit.sent)
        self._slots[permit.priority].release()

    async def refund(self, permit: Permit) -> None:
        """No connection could be made, so the service has not counted the request."""
        if permit.window == self._window:
            self._mine -= 1
            await self._count(-1)

    async def look(self) -> None:
        """See what other processes have used, so that it is known should they be lost sight of."""
        now = self._now()
        window = self._clock.current_window(now)
        if window is not None:
            await self._come_to(window, now)
            await self._see()

    def tell(self) -> str:
        """What other processes with this budget should know of the callers here, so that none takes another's share."""
        return self._shares.tell({*self._waiting["interactive"], *self._waiting["batch"]})

    def hear(self, told: Iterable[str]) -> None:
        """What each of the others has told."""
        self._shares.hear(told)

    async def learn(self, reply: httpx.Response, *, sent: float) -> None:
        """Correct the count, the limit and the clock by what a reply says about them."""
        received = self._now()
        limit, remaining, reset = (_number(reply, name) for name in ("limit", "remaining", "reset"))
        if reset is not None and self._clock.learn(reset, sent=sent, received=received) and self._window >= 0:
            # What was counted under the old index was counted by the service in the window it is in. Each process
            # carries over its own part.
            own = await self._counters.own(self._counter())
            await self._enter(self._clock.latest_window(received), carried=own)
        if limit is not None:
            self._limit, self._limit_from_service = limit, True
        if reply.status_code == 429:
            wait = retry_after_of(reply) or reset or self._clock.seconds_until_next(received)
            self._refused_until = max(self._refused_until, self._monotonic() + wait)
        elif limit is not None and remaining is not None and self._clock.current_window(received) == self._window:
            await self._correct(limit - remaining)

    async def _correct(self, counted: int) -> None:
        """The service has counted that many: more than we did, when somebody else uses the key."""
        if counted <= self._used:
            return
        async with self._correcting:
            # Other processes have counted on since this one looked; only what none of them sent is missing.
            self._used = await self._counters.get(self._counter())
            if counted > self._used:
                missing, keep = counted - self._used, 2 * self._clock.window
                self._used = await self._counters.correct(self._counter(), keep, missing)

    async def _stand_in_line(self, question: Question) -> tuple[Priority | None, bool]:
        """Take a slot and a place in a window; returns in which line, and whether there was any to wait for.

        No line: the question had to leave it, since somebody boarded who may go before it.
        """
        priority, ahead, telling = question.priority, self._ahead(question), None
        self._expect(question, self._expected_wait(question))
        self._waiting[priority][question.caller] += 1
        # Asking the store takes its time; without one only the line, a slot and the window hold anybody up.
        held_up = self._counters.are_shared or self._lines[priority].locked()

        def boarded() -> None:
            nonlocal telling
            if question.has_hearers and telling is None:
                telling = asyncio.ensure_future(self._tell(question, priority, ahead))
            if question.priority != priority and not stay.expired():
                stay.reschedule(asyncio.get_running_loop().time())

        try:
            async with asyncio.timeout(None) as stay:
                with question.watched(boarded):
                    boarded()
                    held_up |= await self._wait_in_lines(question, priority)
        except TimeoutError:
            if not stay.expired():
                raise
            return None, True
        finally:
            self._leave_line(priority, question.caller)
            self._left[priority] += 1
            if telling is not None:
                telling.cancel()
        return priority, held_up

    def _leave_line(self, priority: Priority, caller: str) -> None:
        line = self._waiting[priority]
        line[caller] -= 1
        if not line[caller]:
            del line[caller]
            self._own_lines.pop((priority, caller), None)

    async def _wait_in_lines(self, question: Question, priority: Priority) -> bool:
        """Take a slot and a place in a window; returns whether there was any to wait for."""
        own = self._own_lines.setdefault((priority, question.caller), asyncio.Lock())
        held_up = own.locked()
        async with own:
            while True:
                async with self._lines[priority]:
                    has_place, waited = await self._wait_at_the_head(question, priority)
                held_up |= waited
                if has_place:
                    return held_up
                # It has had its share; meanwhile the others go on.
                held_up = True
                self._check_deadline(question, SHARE_SECONDS, self._clock.seconds_until_next(self._now()))
                await self._sleep(min(SHARE_SECONDS, self._clock.seconds_until_next(self._now())))

    async def _wait_at_the_head(self, question: Question, priority: Priority) -> tuple[bool, bool]:
        """Whether a slot and a place in a window were taken, and whether there was any to wait for."""
        slot = self._slots[priority]
        held_up = slot.locked()
        await slot.acquire()
        try:
            while (wait := await self._take(question)) is None or wait > 0:
                if wait is None:
                    slot.release()
                    return False, held_up
                self._expect(question, wait)
                held_up = True
                await self._sleep(wait)
        except BaseException:
            slot.release()
            raise
        return True, held_up

    async def _tell(self, question: Question, priority: Priority, ahead: int) -> None:
        """Report about once a second, beginning when there has been a second to wait."""
        joined = self._left[priority]
        while True:
            await self._sleep(PROGRESS_SECONDS)
            status = self.status()
            position = max(ahead - (self._left[priority] - joined), 0)
            seconds = status.resets_in_seconds + position // self._allowed(priority) * self._clock.window
            question.tell(seconds, position)

    async def _take(self, question: Question) -> float | None:
        """Count one request and return 0, or return the seconds after which to try again.

        `None`: there are requests left, but they are kept for other callers.
        """
        now, refused = self._now(), self._refused_until - self._monotonic()
        if refused > 0:
            return refused
        window = self._clock.current_window(now)
        if window is None:
            return self._clock.seconds_until_next(now)
        await self._come_to(window, now)
        allowed = self._allowed(question.priority)
        await self._see()
        part = self._part(allowed)
        left = min(allowed - self._used, part - self._mine)
        if 0 < left <= self._kept_for_others(question, window, part, now):
            return None
        if left <= 0 or await self._count(1) > allowed:
            return self._clock.seconds_until_next(now)
        self._mine += 1
        self._shares.give(question.caller, window)
        return 0.0

    def _part(self, allowed: int) -> int:
        """What this process may send of what all may: all of it, as long as they count together.

        Alone, its part; in the window in which it lost sight of the others, its part of what was left then.
        """
        if not self._counters.are_alone:
            return allowed
        window, used, mine = self._seen
        if window != self._window or not used:
            return max(allowed // self._replicas(), 1)
        return mine + max(allowed - used, 0) // self._replicas()

    def _kept_for_others(self, question: Question, window: int, allowed: int, now: float) -> int:
        left = self._clock.seconds_until_next(now) / self._clock.window
        waiting = {*self._waiting["interactive"], *self._waiting["batch"]}
        return self._shares.kept_for_others(question.caller, window, allowed=allowed, left=left, waiting=waiting)

    async def _come_to(self, window: int, now: float) -> None:
        if window != self._window:
            # What is still on its way may arrive in this window and be counted there.
            await self._enter(window, carried=sum(now - sent < ARRIVAL_SECONDS for sent in self._sent_at))

    async def _see(self) -> None:
        self._used = await self._counters.get(self._counter())
        if not self._counters.are_alone:
            self._seen = (self._window, self._used, self._mine)

    async def _enter(self, window: int, *, carried: int) -> None:
        if window != self._window:
            self._window, self._used, self._mine = window, 0, carried
            await self._count(carried)

    async def _count(self, amount: int) -> int:
        if amount:
            # An entry must outlive its window, however late in it the first request came.
            self._used = await self._counters.incr(self._counter(), 2 * self._clock.window, amount)
        return self._used

    def _counter(self) -> str:
        return f"libraries_io_mcp/quota/{self._name}/{self._clock.window}/{self._window}"

    def _allowed(self, priority: Priority) -> int:
        # With a limit of 0 one request a window still goes out, to learn when the key is given more.
        limit = max(self._limit, 1)
        if priority == "interactive":
            return limit
        return max(limit - int(limit * BATCH_RESERVE) - self._waiting["interactive"].total(), 1)

    def _expected_wait(self, question: Question) -> float:
        ahead, allowed, status = self._ahead(question), self._allowed(question.priority), self.status()
        free = max(status.remaining - status.limit + allowed, 0)
        if free > ahead:
            return 0.0
        return status.resets_in_seconds + (ahead - free) // allowed * self._clock.window

    def _ahead(self, question: Question) -> int:
        """How many go before a new question: the caller's own, and of each other caller as many and one."""
        line = self._waiting[question.priority]
        own = line[question.caller]
        return own + sum(min(count, own + 1) for caller, count in line.items() if caller != question.caller)

    def _expect(self, question: Question, wait: float) -> None:
        """Its turn comes in so many seconds, unless that is too late."""
        self._check_deadline(question, wait)
        question.turn_at = self._monotonic() + wait if wait else None

    def _check_deadline(self, question: Question, wait: float, retry_after: float | None = None) -> None:
        if wait and self._monotonic() + wait + ANSWER_SECONDS > question.deadline:
            raise QuotaExceededError(
                f"The quota of {self._limit} requests per {self._clock.window} seconds is used up.",
                retry_after=round(retry_after or wait, 1),
            )


def _identity(key: SecretStr | None) -> str:
    """A name for the budget that does not tell the key."""
    return hashlib.sha256(key.get_secret_value().encode()).hexdigest()[:12] if key else "anonymous"


def _number(reply: httpx.Response, name: str) -> int | None:
    text = reply.headers.get(f"x-ratelimit-{name}", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
