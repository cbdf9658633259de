"""Keeps the parts of the server running that nobody waits for: whatever ends one is logged, told to health, and it is
started again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
"""Before a part is started again; the pause doubles while it fails again and again."""
WELL_SECONDS: Final = 120.0
"""A part that has run for so long since it failed is well again."""

logger: Final = logging.getLogger(__name__)


class Supervisor:
    """Parts by name, and what ended them. `failed`, `pause` and `problems` may be called from any thread."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._failures: dict[str, tuple[str, int, float]] = {}

    async def keep(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Run the part to its end or until this task is cancelled; again and again should something else end it."""
        while True:
            try:
                await work()
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt | GeneratorExit) or _is_cancelled():
                    raise
                self.failed(name, error)
            else:
                return
            await self._sleep(self.pause(name))

    def failed(self, name: str, error: BaseException) -> None:
        """Log that a part has ended, and why, and remember it."""
        why = type(error).__name__
        _, failures, at = self._failures.get(name, ("", 0, 0.0))
        failures = failures + 1 if self._monotonic() - at < WELL_SECONDS else 1
        self._failures = {**self._failures, name: (why, failures, self._monotonic())}
        logger.error("%s failed (%s); again in %.0f s", name, why, self.pause(name), exc_info=error)

    def pause(self, name: str) -> float:
        """How long to wait before the part is started again."""
        _, failures, _ = self._failures.get(name, ("", 1, 0.0))
        return float(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10)))

    @property
    def problems(self) -> tuple[str, ...]:
        """What has failed of late, one line each."""
        now = self._monotonic()
        return tuple(
            f"{name} failed {now - at:.0f} s ago ({why})"
            for name, (why, _, at) in self._failures.items()
            if now - at < WELL_SECONDS
        )


def _is_cancelled() -> bool:
    """Whether somebody asked this task to end; a cancellation that comes out of a part itself is a failure of it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
