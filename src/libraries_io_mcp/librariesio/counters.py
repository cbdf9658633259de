"""Counters of the quota, kept by `limits`: in memory, or in Redis/Valkey for several processes with one key.

`limits` has fixed windows of its own, but they begin at the first request; so only its storages are used, and the
window's index is part of a counter's name.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from limits.aio.storage import MemoryStorage, RedisStorage, Storage

from libraries_io_mcp.redis_gateway import RedisGateway

CATCH_UP_KEEP_SECONDS: Final = 7_200
"""As long as the longest window's counter is kept."""


class Counters:
    """Counts in `shared` while it works, else in memory, beginning with what was last seen there.

    When `shared` is back, it is told what this process has counted without it. `gateway` is the way to it.
    """

    def __init__(self, gateway: RedisGateway | None = None, shared: Storage | None = None) -> None:
        self._own = MemoryStorage()
        self._gateway = gateway
        self._shared = shared if shared is not None or gateway is None else redis_storage(gateway)
        self._alone = False
        self._seen = _Seen("")
        self._catching_up = asyncio.Lock()

    @property
    def are_alone(self) -> bool:
        """Whether there is a store, but it does not work."""
        return self._alone

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
        shared = self._shared
        if self._gateway is None or shared is None:
            return own
        if name != self._seen.name:
            self._seen = _Seen(name)

        async def count_there(_client: object) -> int | None:
            if self._alone:
                await self._catch_up(shared, name, own - amount)
            return await question(shared)

        count = await self._gateway.call(count_there, otherwise=None)
        if count is None:
            self._alone = True
            return self._seen.guess(own)
        if name == self._seen.name:
            self._seen.count, self._seen.own = count, own
        return count

    async def _catch_up(self, shared: Storage, name: str, own: int) -> None:
        """Tell it what of this process's count it does not know: all of it, if it has lost even what it was told."""
        async with self._catching_up:
            if not self._alone:
                return
            count, told = await shared.get(name), self._seen.own
            missing = own - self._seen.corrected - (0 if count < told else told)
            if missing > 0:
                count = await shared.incr(name, CATCH_UP_KEEP_SECONDS, missing)
            self._seen = _Seen(name, count, own)
            self._alone = False


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


def redis_storage(gateway: RedisGateway) -> Storage:
    """Counters in Redis or Valkey over the connections of the gateway."""
    return RedisStorage(
        f"async+{gateway.url}", implementation="redispy", key_prefix="libraries_io_mcp", connection_pool=gateway.pool
    )
