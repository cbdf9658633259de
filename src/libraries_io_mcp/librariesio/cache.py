"""Decoded answers, kept above the network: a hit costs no pydantic work and no copy.

Bounded by entries and bytes (the least recently used goes first); one upstream request for identical questions at
the same time; a kept answer is shown, marked stale, when the service can't give a new one; 404s are kept briefly.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

from cachetools import LRUCache

from libraries_io_mcp.errors import (
    CallError,
    CircuitOpenError,
    InvalidReplyError,
    NotFoundError,
    QuotaExceededError,
    UpstreamFaultError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from libraries_io_mcp.librariesio.question import Question
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.librariesio.vitals import CacheFacts
from libraries_io_mcp.librariesio.weight import ENTRY_BYTES
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import CacheResult
from libraries_io_mcp.telemetry.waits import Waits, here

MAX_ENTRIES: Final = 2_000
MAX_BYTES: Final = 64 * 1024 * 1024
NEGATIVE_SECONDS: Final = 60.0
GRACE_SECONDS: Final = 0.75
"""The fetch ends itself at the deadline, with an error that tells more; this is for those who boarded later. It is
also the time in which an answer that came at the last moment can be put into a slow Redis."""
CLOCK_SECONDS: Final = 1.0
"""So far a clock may be set back without notice."""
# Worse than an old answer. A wrong key or a wrong question is not: an old answer would hide it.
OUTAGES: Final = (
    CircuitOpenError,
    InvalidReplyError,
    QuotaExceededError,
    UpstreamFaultError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, or why there is none: since when it is kept, when it grows old (epoch seconds), its memory."""

    outcome: Reply[Any] | NotFoundError
    since: float
    fresh_until: float
    size: int

    def fresh(self, now: float) -> bool:
        """Whether it is not old yet. What was kept in the future shows that the clock was set back: that is old."""
        return self.since - CLOCK_SECONDS <= now < self.fresh_until

    def shown(self, now: float) -> tuple[Reply[Any] | CallError, CacheResult]:
        """What is shown to who asks while it is fresh."""
        if isinstance(self.outcome, NotFoundError):
            return _bare(self.outcome), "negative"
        return self.outcome.kept("cache", now), "hit"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A new answer, the bytes of memory that it takes, and the seconds it may be kept from now on."""

    reply: Reply[Any]
    size: int
    keep_seconds: float


Fetch = Callable[[], Awaitable[Fetched]]


class Cache:
    """Answers by question. A question is any hashable value that holds all that decides the answer."""

    def __init__(
        self,
        *,
        instruments: Instruments,
        waits: Waits | None = None,
        now: Callable[[], float],
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._instruments = instruments
        self._waits = waits or Waits(None, now)
        self._now = now
        self._max_entries = max_entries
        self._entries: LRUCache[Any, Kept] = LRUCache(max_bytes, getsizeof=lambda kept: kept.size)
        self._flights: dict[Any, Flight] = {}
        self._lookups: Counter[CacheResult] = Counter()
        instruments.watch_cache(lambda: (len(self._entries), int(self._entries.currsize)))

    def facts(self) -> CacheFacts:
        """How full it is, and what came of all look-ups."""
        size, most = int(self._entries.currsize), int(self._entries.maxsize)
        return CacheFacts(len(self._entries), self._max_entries, size, most, dict(self._lookups))

    async def get(
        self,
        endpoint: str,
        question: Any,
        fetch: Fetch,
        *,
        traveller: Question,
        timeout_seconds: float,
        negative_seconds: float = NEGATIVE_SECONDS,
    ) -> tuple[Reply[Any] | CallError, CacheResult]:
        """The answer, or the error that stands for it, and how it was come by.

        `fetch` is called at most once for all who ask at the same time: for the `traveller` who came first; the others
        board. `timeout_seconds` is the traveller's, from now to its deadline. An error is handed back, not raised, so
        that it comes with the way it was come by too.
        """
        now = self._now()
        kept = self._entries.get(question)
        if kept is not None and kept.fresh(now):
            outcome, result = kept.shown(now)
        else:
            first = question not in self._flights
            flight = self._flights.get(question) or self._take_off(question, fetch, traveller, negative_seconds)
            outcome, result = await self._fly(endpoint, flight, traveller, timeout_seconds, first=first)
            if isinstance(outcome, OUTAGES) and kept is not None and isinstance(kept.outcome, Reply):
                outcome, result = kept.outcome.kept("stale", self._now()), "stale"
        self._lookups[result] += 1
        self._instruments.cache_lookup(endpoint, result)
        return outcome, result

    def put(self, question: Any, fetched: Fetched) -> None:
        """Keep an answer for as long as it says."""
        if fetched.keep_seconds > 0:
            now = self._now()
            self._keep(question, Kept(fetched.reply, now, now + fetched.keep_seconds, fetched.size))

    async def _fly(
        self, endpoint: str, flight: "Flight", traveller: Question, timeout_seconds: float, *, first: bool
    ) -> tuple[Reply[Any] | CallError, CacheResult]:
        result: CacheResult = "miss" if first else "coalesced"
        try:
            with nullcontext() if first else self._waits.flight(endpoint, flight.asked_in):
                fetched = await flight.join(traveller, timeout_seconds)
        except CallError as error:
            return error, result
        return fetched.reply, "hit" if first and fetched.reply.source == "cache" else result

    def _take_off(self, question: Any, fetch: Fetch, traveller: Question, negative_seconds: float) -> "Flight":
        flight = Flight(fetch, traveller)

        def landed(task: object) -> None:
            if self._flights.get(question) is flight:
                del self._flights[question]
            # Here, not where somebody waits for it: the one who asked first may have left.
            if isinstance(task, asyncio.Future) and not task.cancelled():
                self._note(question, task, negative_seconds)

        flight.on_end(landed)
        self._flights[question] = flight
        return flight

    def _note(self, question: Any, landed: "asyncio.Future[Fetched]", negative_seconds: float) -> None:
        # Asked for in any case: asyncio complains about exceptions that nobody has looked at.
        error = landed.exception()
        if error is None:
            self.put(question, landed.result())
        elif isinstance(error, NotFoundError) and negative_seconds > 0:
            now = self._now()
            self._keep(question, Kept(_bare(error), now, now + negative_seconds, ENTRY_BYTES))

    def _keep(self, question: Any, kept: Kept) -> None:
        if kept.size > self._entries.maxsize:
            return
        self._entries[question] = kept
        while len(self._entries) > self._max_entries:
            self._entries.popitem()


class Flight:
    """One fetch that several callers wait for, for whom `question` is on its way.

    It ends early only when all of them have gone.
    """

    def __init__(self, fetch: Fetch, question: Question) -> None:
        self._question = question
        self._passengers = 0
        self.asked_in = here()
        self._task = asyncio.ensure_future(fetch())
        self._ends: list[Callable[[object], None]] = []
        self._task.add_done_callback(self._end)

    def on_end(self, tell: Callable[[object], None]) -> None:
        """`tell` is called when nobody may board any more."""
        self._ends.append(tell)

    async def join(self, traveller: Question, timeout_seconds: float) -> Fetched:
        """Wait for the outcome until the traveller's own deadline, which is `timeout_seconds` away.

        A caller who gives up or is cancelled does not disturb the others.

        Raises:
            UpstreamTimeoutError: there was none in time.
            QuotaExceededError: the others wait for a turn at the quota that comes too late for this one.
        """
        self._passengers += 1
        if traveller is not self._question:
            self._question.board(traveller)
        try:
            if (self._question.turn_at or 0.0) > traveller.deadline:
                raise self._too_late(traveller.deadline - timeout_seconds)
            async with asyncio.timeout(timeout_seconds + GRACE_SECONDS):
                return await asyncio.shield(self._task)
        except TimeoutError:
            raise self._too_late(traveller.deadline) from None
        finally:
            self._passengers -= 1
            self._question.leave(traveller)
            if not self._passengers and not self._task.done():
                # At once: who asks now must not board a flight that is being cancelled.
                self._end(None)
                self._task.cancel()

    def _too_late(self, now: float) -> CallError:
        turn_at = self._question.turn_at
        if turn_at is None:
            return UpstreamTimeoutError("Libraries.io did not answer in time.")
        return QuotaExceededError(
            "The quota is used up, and this question's turn would come too late.",
            retry_after=round(max(turn_at - now, 1.0), 1),
        )

    def _end(self, task: object) -> None:
        for tell in self._ends:
            tell(task)


def _bare(error: CallError) -> NotFoundError:
    """A copy without traceback, which would keep frames alive."""
    return NotFoundError(str(error), next_step=error.next_step, status_code=error.status_code)
