"""Time that several processes share: it runs as the machine's does, and jumps as soon as all of them only wait.

So simulated minutes take seconds, and a busy machine makes nothing look slow: what is worked on takes its real time.
"""

import asyncio
import math
import mmap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

BUSY: Final = 0.0
GONE: Final = math.inf
TICK_SECONDS: Final = 0.005


class SharedClock:
    """A small file in memory: what is added to CLOCK_MONOTONIC, and for each process until when it only waits."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._cells = memoryview(self._map).cast("d")

    @classmethod
    def create(cls, path: Path, *, begin: float, processes: int) -> Self:
        """A clock that shows `begin` (epoch seconds) now."""
        path.write_bytes(bytes(8 * (1 + processes)))
        clock = cls(path)
        clock.set(begin)
        return clock

    def set(self, moment: float) -> None:
        """Let it be `moment` now."""
        self._cells[0] = moment - time.monotonic()

    def now(self) -> float:
        """Epoch seconds."""
        return time.monotonic() + self._cells[0]

    def waits(self, process: int, until: float) -> None:
        """A process says until when it only waits; `BUSY` for not at all, `GONE` when it has ended."""
        self._cells[1 + process] = until

    async def run(self) -> None:
        """Jump whenever all processes only wait; for as long as this task lives."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            until = list(self._cells[1:])
            if BUSY not in until and (seconds := min(until) - self.now()) > 0 and math.isfinite(seconds):
                self._cells[0] += seconds


class Sleeper:
    """One process's view of the clock: counts who sleeps and who is busy with something else."""

    def __init__(self, clock: SharedClock, process: int) -> None:
        self._clock = clock
        self._process = process
        self._wakings: list[float] = []
        self.busy = 0
        self.also_busy: Callable[[], bool] = lambda: False

    async def sleep(self, seconds: float) -> None:
        """As `asyncio.sleep`, in shared time."""
        waking = self._clock.now() + seconds
        self._wakings.append(waking)
        try:
            while self._clock.now() < waking:
                self.tell()
                await asyncio.sleep(TICK_SECONDS)
        finally:
            self._wakings.remove(waking)
            self.tell()

    def tell(self) -> None:
        """Say anew whether this process only waits."""
        idle = self._wakings and not self.busy and not self.also_busy()
        self._clock.waits(self._process, min(self._wakings) if idle else BUSY)
