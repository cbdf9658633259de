"""The store of the quota's counters, and how many questions to it are under way: simulated time must wait for them."""

from typing import Any


class WatchedStore:
    """Stands before a store of `limits`."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.asked = 0

    async def incr(self, key: str, expiry: float, amount: int) -> int:
        """As the store does."""
        self.asked += 1
        try:
            return await self._store.incr(key, expiry, amount)
        finally:
            self.asked -= 1

    async def get(self, key: str) -> int:
        """As the store does."""
        self.asked += 1
        try:
            return await self._store.get(key)
        finally:
            self.asked -= 1
