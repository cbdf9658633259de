"""The processes that share one budget, as they see each other through Redis: how many, whose breakers are open, and who
has had what of the budget.

What is learned here is advice: nothing fails and nothing waits when Redis does not answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol

from libraries_io_mcp.redis_gateway import RedisGateway

BEAT_SECONDS: Final = 2.0
"""How often each says that it is there, and looks at the others."""
LEAVE_SECONDS: Final = 0.1
"""Longer than that the end does not wait for a Redis that may be dead: the others then see it in `GONE_SECONDS`."""
GONE_SECONDS: Final = 10.0
"""One that has not been heard of for so long is gone."""
LONGEST_WINDOW_SECONDS: Final = 3_600
LONGEST_HINT_SECONDS: Final = 300
PREFIX: Final = "libraries_io_mcp:replicas:1:"


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
    """The others, as they were seen last. Without a gateway there are none.

    Clocks of several machines differ, so all times are Redis' own.
    """

    def __init__(self, gateway: RedisGateway | None, *, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._gateway = gateway
        self._me = "" if gateway is None else gateway.me
        self._members = self._hints = self._shares = ""
        self._breakers: Breakers | None = None
        self._callers: Callers | None = None
        self._also: Callable[[], Awaitable[None]] | None = None
        self._sleep = sleep
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
        while self._gateway is not None:
            await self.beat()
            await self._sleep(BEAT_SECONDS)

    async def beat(self) -> None:
        """Say that this one is there, and look at the others. Never raises: without Redis all stays as it was seen."""
        breakers = self._breakers
        if self._gateway is not None and breakers is not None:
            await self._gateway.call(lambda client: self._exchange(client, breakers), otherwise=None)
        if self._also is not None:
            await self._also()

    async def leave(self) -> None:
        """This one ends: the others need not wait until it is gone."""
        if self._gateway is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    # What its callers were given stays until the window is over.
                    await self._gateway.call(lambda client: client.zrem(self._members, self._me), otherwise=None)

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
                commands.expire(self._hints, LONGEST_HINT_SECONDS)
            if self._callers is not None:
                commands.hset(self._shares, self._me, self._callers.tell())
                commands.expire(self._shares, 2 * LONGEST_WINDOW_SECONDS)
            commands.hgetall(self._shares)
            commands.hgetall(self._hints)
            answers = await commands.execute()
        self._published = frozenset(own)
        self._count = max(int(answers[2]), 1)
        if self._callers is not None:
            self._callers.hear(text for process, text in answers[-2].items() if process != self._me.encode())
        others = {name.decode("utf-8", "replace"): _seconds_left(until, now) for name, until in answers[-1].items()}
        breakers.advise({group: left for group, left in others.items() if left > 0 and group not in own})


def _seconds_left(until: bytes, now: float) -> float:
    """What is no time has passed; what lies far ahead was not written by one of us."""
    try:
        left = float(until) - now
    except ValueError:
        return 0.0
    return left if left <= LONGEST_HINT_SECONDS else 0.0
