"""The processes that share one budget, as they see each other through Redis: how many, whose breakers are open, and who
has had what of the budget.

What is learned here is advice: nothing fails and nothing waits when Redis does not answer.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Protocol

BEAT_SECONDS: Final = 2.0
"""How often each says that it is there, and looks at the others."""
LEAVE_SECONDS: Final = 0.1
"""Longer than that the end does not wait for a Redis that may be dead: the others then see it in `GONE_SECONDS`."""
GONE_SECONDS: Final = 10.0
"""One that has not been heard of for so long is gone."""
LONGEST_WINDOW_SECONDS: Final = 3_600
PREFIX: Final = "libraries_io_mcp:replicas:1:"

logger = logging.getLogger("libraries_io_mcp.librariesio")


class Breakers(Protocol):
    """The circuit breakers of this process."""

    def opened(self) -> Mapping[str, float]:
        """The groups whose breaker this process has opened itself, and for how many seconds more."""

    def advise(self, opened: Mapping[str, float]) -> None:
        """The same of the other processes."""


class Callers(Protocol):
    """What this process has given to whom."""

    def tell(self) -> str:
        """In words for the others."""

    def hear(self, told: Iterable[str]) -> None:
        """The words of the others."""


class Replicas:
    """The others, as they were seen last. `store` is a `redis.asyncio.Redis`; without one there are none.

    Clocks of several machines differ, so all times are Redis' own. `seconds` is how long a look may take.
    """

    def __init__(self, store: Any | None, *, sleep: Callable[[float], Awaitable[None]], seconds: float) -> None:
        self._store = store
        self._me = uuid.uuid4().hex
        self._members = self._hints = self._shares = ""
        self._breakers: Breakers | None = None
        self._callers: Callers | None = None
        self._also: Callable[[], Awaitable[None]] | None = None
        self._sleep = sleep
        self._seconds = seconds
        self._published: frozenset[str] = frozenset()
        self._count = 1

    @property
    def count(self) -> int:
        """How many there were at the last look, this one among them."""
        return self._count

    def join(
        self, name: str, *, breakers: Breakers, callers: Callers | None = None, also: Callable[[], Awaitable[None]]
    ) -> None:
        """Belong to those who share the budget of that name; `also` is done at each beat."""
        self._members, self._hints, self._shares = (
            f"{PREFIX}{name}:{what}" for what in ("members", "breakers", "shares")
        )
        self._breakers, self._callers, self._also = breakers, callers, also

    async def run(self) -> None:
        """Keep in touch until cancelled."""
        while self._store is not None:
            await self.beat()
            await self._sleep(BEAT_SECONDS)

    async def beat(self) -> None:
        """Say that this one is there, and look at the others. Never raises: without Redis all stays as it was seen."""
        try:
            async with asyncio.timeout(self._seconds):
                if self._store is not None and self._breakers is not None:
                    await self._exchange(self._store, self._breakers)
        # Whatever the library raises: the quota's counters say it, and say so once.
        except Exception as error:
            logger.debug("no look at the other replicas: Redis failed with %s", type(error).__name__)
        if self._also is not None:
            await self._also()

    async def leave(self) -> None:
        """This one ends: the others need not wait until it is gone."""
        try:
            async with asyncio.timeout(min(LEAVE_SECONDS, self._seconds)):
                if self._store is not None:
                    # What its callers were given stays until the window is over.
                    await self._store.zrem(self._members, self._me)
        except Exception as error:
            logger.debug("the other replicas are not told of the end: Redis failed with %s", type(error).__name__)

    async def _exchange(self, store: Any, breakers: Breakers) -> None:
        seconds, micros = await store.time()
        now = seconds + micros / 1e6
        own = {group: left for group, left in breakers.opened().items() if left > 0}
        async with store.pipeline(transaction=False) as commands:
            commands.zadd(self._members, {self._me: now})
            commands.zremrangebyscore(self._members, "-inf", now - GONE_SECONDS)
            commands.zcard(self._members)
            commands.expire(self._members, 60)
            if ended := self._published - own.keys():
                commands.hdel(self._hints, *ended)
            if own:
                commands.hset(self._hints, mapping={group: f"{now + left:.3f}" for group, left in own.items()})
                commands.expire(self._hints, 300)
            if self._callers is not None:
                commands.hset(self._shares, self._me, self._callers.tell())
                commands.expire(self._shares, 2 * LONGEST_WINDOW_SECONDS)
            commands.hgetall(self._shares)
            commands.hgetall(self._hints)
            answers = await commands.execute()
        self._published = frozenset(own)
        self._count = max(int(answers[2]), 1)
        others = {name.decode(): float(until) - now for name, until in answers[-1].items() if name.decode() not in own}
        if self._callers is not None:
            self._callers.hear(text for process, text in answers[-2].items() if process.decode() != self._me)
        breakers.advise({group: left for group, left in others.items() if left > 0})
