"""Counters of the quota, kept by `limits`: in memory, or in Redis/Valkey for several processes with one key.

`limits` has fixed windows of its own, but they begin at the first request; so only its storages are used, and the
window's index is part of a counter's name.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from limits.aio.storage import MemoryStorage, RedisStorage, Storage

T = TypeVar("T")
REDIS_SECONDS: Final = 0.5
"""Longer than that no call waits for Redis."""
REST_SECONDS: Final = 15.0
"""So long Redis is left alone after it failed."""

logger = logging.getLogger("libraries_io_mcp.librariesio")


class Counters:
    """Counts in `shared` while it works, else in memory: then each process has a budget of its own for a while.

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

    @property
    def are_shared(self) -> bool:
        """Whether there is a store to ask."""
        return self._shared is not None

    async def incr(self, name: str, keep_seconds: int, amount: int) -> int:
        """Add, and return the new count. A new counter is kept for `keep_seconds`."""
        own = await self._own.incr(name, keep_seconds, amount)
        return await self._ask(lambda shared: shared.incr(name, keep_seconds, amount), own)

    async def get(self, name: str) -> int:
        """The count; 0 for a counter that does not exist."""
        own = await self._own.get(name)
        return await self._ask(lambda shared: shared.get(name), own)

    async def own(self, name: str) -> int:
        """What of the count this process has added."""
        return await self._own.get(name)

    async def _ask(self, question: Callable[[Storage], Awaitable[int]], own: int) -> int:
        if self._shared is None or self._now() < self._rests_until:
            return own
        try:
            async with asyncio.timeout(self._seconds):
                count = await question(self._shared)
        # Whatever goes wrong with Redis must not stop the calls.
        except Exception as error:
            if not self._rests_until:
                logger.warning("quota is not shared: Redis failed with %s", type(error).__name__)
            self._rests_until = self._now() + REST_SECONDS
            return own
        if self._rests_until:
            logger.warning("quota is shared again")
            self._rests_until = 0.0
        return count


def redis_counters(url: str, pool: Any) -> Storage:
    """Counters in Redis or Valkey over the connections of `pool`, which the caller closes."""
    return RedisStorage(f"async+{url}", implementation="redispy", key_prefix="libraries_io_mcp", connection_pool=pool)
