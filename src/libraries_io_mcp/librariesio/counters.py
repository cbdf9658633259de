"""Counters of the quota, kept by `limits`: in memory, or in Redis/Valkey for several processes with one key.

`limits` has fixed windows of its own, but they begin at the first request; so only its storages are used, and the
window's index is part of a counter's name.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from limits.aio.storage import MemoryStorage, RedisStorage, Storage

T = TypeVar("T")
REDIS_SECONDS: Final = 0.5
"""Longer than that no call waits for Redis."""
REST_SECONDS: Final = 15.0
"""So long Redis is left alone after it failed."""
CATCH_UP_KEEP_SECONDS: Final = 7_200
"""As long as the longest window's counter is kept."""

logger = logging.getLogger("libraries_io_mcp.librariesio")


class Counters:
    """Counts in `shared` while it works, else in memory, beginning with what was last seen there.

    When `shared` is back, it is told what this process has counted without it.

    `now` is a clock that never jumps; `seconds` is how long a question to `shared` may take.
    """

    def __init__(
        self, now: Callable[[], float], shared: Storage | None = None, *, seconds: float = REDIS_SECONDS
    ) -> None:
        self._now = now
        self._seconds = seconds
        self._own = MemoryStorage()
        self._shared = shared
        self._rests_until = 0.0
        self._seen = _Seen("")
        self._catching_up = asyncio.Lock()

    @property
    def are_alone(self) -> bool:
        """Whether there is a store, but it does not work."""
        return self._rests_until > 0

    @property
    def are_shared(self) -> bool:
        """Whether there is a store to ask."""
        return self._shared is not None

    async def incr(self, name: str, keep_seconds: int, amount: int) -> int:
        """Add, and return the new count. A new counter is kept for `keep_seconds`."""
        own = await self._own.incr(name, keep_seconds, amount)
        return await self._ask(name, own, lambda shared: shared.incr(name, keep_seconds, amount), amount)

    async def correct(self, name: str, keep_seconds: int, amount: int) -> int:
        """Add what others have used, as the service says; they will tell the store themselves if it does not know."""
        if self.are_alone and name == self._seen.name:
            self._seen.corrected += amount
        return await self.incr(name, keep_seconds, amount)

    async def get(self, name: str) -> int:
        """The count; 0 for a counter that does not exist."""
        own = await self._own.get(name)
        return await self._ask(name, own, lambda shared: shared.get(name), 0)

    async def own(self, name: str) -> int:
        """What of the count this process has added."""
        return await self._own.get(name)

    async def _ask(self, name: str, own: int, question: Callable[[Storage], Awaitable[int]], amount: int) -> int:
        """The count; `own` is that of this process with the `amount` that the question adds."""
        if self._shared is None:
            return own
        if name != self._seen.name:
            self._seen = _Seen(name)
        if self._now() < self._rests_until:
            return self._seen.guess(own)
        try:
            async with asyncio.timeout(self._seconds):
                if self._rests_until:
                    await self._catch_up(self._shared, name, own - amount)
                count = await question(self._shared)
        # Whatever goes wrong with Redis must not stop the calls.
        except Exception as error:
            if not self._rests_until:
                logger.warning("quota is not shared: Redis failed with %s", type(error).__name__)
            self._rests_until = self._now() + REST_SECONDS
            return self._seen.guess(own)
        if name == self._seen.name:
            self._seen.count, self._seen.own = count, own
        return count

    async def _catch_up(self, shared: Storage, name: str, own: int) -> None:
        """Tell it what of this process's count it does not know: all of it, if it has lost even what it was told."""
        async with self._catching_up:
            if not self.are_alone:
                return
            count, told = await shared.get(name), self._seen.own
            missing = own - self._seen.corrected - (0 if count < told else told)
            if missing > 0:
                count = await shared.incr(name, CATCH_UP_KEEP_SECONDS, missing)
            self._seen = _Seen(name, count, own)
            self._rests_until = 0.0
            logger.warning("quota is shared again")


@dataclass(slots=True)
class _Seen:
    """The newest counter as the store gave it last: the count, and how much of it was this process's own.

    `corrected` was added since then without the store, but was not used by this process.
    """

    name: str
    count: int = 0
    own: int = 0
    corrected: int = 0

    def guess(self, own: int) -> int:
        """The count now, as far as it is known, given what this process has added."""
        return self.count + own - self.own


def redis_counters(url: str, pool: Any) -> Storage:
    """Counters in Redis or Valkey over the connections of `pool`, which the caller closes."""
    return RedisStorage(f"async+{url}", implementation="redispy", key_prefix="libraries_io_mcp", connection_pool=pool)
