"""Where in its window the service is: learned from `X-RateLimit-Reset`, since two clocks never agree.

Each reply bounds the distance between the service's clock and ours; bounds narrow with every reply, like a clock
that is set by telegrams whose travel time is known.
"""

import math
from typing import Final

MARGIN_SECONDS: Final = 0.1
"""Added on both sides, for rounding and for drift between replies."""
MAX_DISTANCE_SECONDS: Final = 30.0


class ServiceClock:
    """Windows of `window` seconds, aligned to the service's clock. Times are epoch seconds of ours."""

    def __init__(self, window: int, *, margin: float = MARGIN_SECONDS) -> None:
        self.window = window
        self._margin = margin
        # The service's clock minus ours lies between these two.
        self._low = 0.0
        self._high = 0.0
        self._learned = False

    def current_window(self, at: float) -> int | None:
        """Index of the service's window, or `None` while it may be this one or the next."""
        earliest, latest = self._range(at)
        index = math.floor(earliest / self.window)
        return index if index == math.floor(latest / self.window) else None

    def latest_window(self, at: float) -> int:
        """Index of the window that the service is in at the latest."""
        return math.floor(self._range(at)[1] / self.window)

    def seconds_until_next(self, at: float) -> float:
        """How long until the service has surely left the window that it is surely in, or may be leaving."""
        earliest, latest = self._range(at)
        edge = math.floor(latest / self.window) * self.window
        if earliest >= edge:
            edge += self.window
        return edge - earliest

    def learn(self, reset: int, *, sent: float, received: float) -> bool:
        """The service said, at some moment between `sent` and `received`, that its window ends in `reset` seconds.

        The service cuts its clock to whole seconds before it subtracts, so the end is up to a second nearer.

        Returns:
            Whether the clock was set, so that windows may have other indexes than before; else it was only refined.
        """
        if not 0 < reset <= self.window or received < sent:
            return False
        middle = (sent + received) / 2
        end = round((middle + reset) / self.window) * self.window
        low, high = end - reset - received, end - reset + 1 - sent
        if max(abs(low), abs(high)) > MAX_DISTANCE_SECONDS:
            return False
        narrowed = max(low, self._low), min(high, self._high)
        fits = self._learned and narrowed[0] <= narrowed[1]
        # Bounds that exclude each other mean that one of the clocks was set: start anew.
        self._low, self._high = narrowed if fits else (low, high)
        self._learned = True
        return not fits

    def _range(self, at: float) -> tuple[float, float]:
        return at + self._low - self._margin, at + self._high + self._margin
