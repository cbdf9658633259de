"""The distance that a caller's heavy requests keep while others ask.

Reading a message of megabytes, or of thousands of values, stops everybody for tens of milliseconds: the SDK does it in
one go. So such messages of one caller come one after the other, each when many times its own cost has gone by. A caller
that is alone waits for nothing.
"""

from collections.abc import Awaitable, Callable
from typing import Final

BYTE_SECONDS: Final = 8e-9
VALUE_SECONDS: Final = 3e-6
"""What it costs to receive and to read a message, on a slow machine: by its length, and by the values in it."""
LIGHT_SECONDS: Final = 0.001
"""What costs less is every day's, and keeps no distance."""
TIMES: Final = 50
"""A heavy caller has one part in so many of the time."""
MOST_CALLERS: Final = 1_024


class Pace:
    """When each caller's next heavy request may go on. `mixed`: whether several callers ask just now."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        mixed: Callable[[], bool],
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._mixed = mixed
        self._next: dict[str, float] = {}

    async def keep(self, caller: str, size: int, values: int) -> None:
        """Return when a message of so many bytes and values may be read."""
        cost = size * BYTE_SECONDS + values * VALUE_SECONDS
        if cost < LIGHT_SECONDS or not self._mixed():
            return
        now = self._monotonic()
        at = max(self._next.get(caller, now), now)
        if len(self._next) >= MOST_CALLERS:
            self._next = {name: moment for name, moment in self._next.items() if moment > now}
        self._next[caller] = at + TIMES * cost
        if at > now:
            await self._sleep(at - now)
