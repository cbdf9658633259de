"""What became of what was made: counts for each signal and way out, kept by the ways, read by health and doctor."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from libraries_io_mcp.telemetry.semconv import Signal


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one way has done for one signal until now. Counts are spans, metric points or log records."""

    signal: Signal
    way: str
    offered: int
    delivered: int
    failed: int
    dropped: int
    last_error: str | None
    """What went wrong last, as the exporter said it; `None` if nothing ever did."""
    last_success: float | None
    """Seconds since 1970, `None` before the first success."""
    refusals: int = 0
    """How many exports the other side did not take, whether what was in them is lost or not."""
    superseded: int = 0
    """Metric points that were not taken and came again with a later collection: nothing is lost."""

    @property
    def waiting(self) -> int:
        """Still queued, just being sent, or (metric points) sent again with the next collection."""
        return max(0, self.offered - self.delivered - self.failed - self.dropped - self.superseded)


@dataclass(slots=True)
class Counts:
    """The counts of one signal and way, as they grow."""

    signal: Signal
    way: str
    on_loss: Callable[[Signal, int], None] = lambda _signal, _count: None
    now: Callable[[], float] = time.time
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _offered: int = 0
    _delivered: int = 0
    _failed: int = 0
    _dropped: int = 0
    _last_error: str | None = None
    _last_success: float | None = None
    _refusals: int = 0
    _superseded: int = 0
    _put_off: int = 0

    def offered(self, count: int = 1) -> None:
        """Something was made. Called where it is made, so it takes no lock: one thread's addition is atomic."""
        self._offered += count

    def has_room(self, room: int) -> bool:
        """Whether one more that was made now may wait; if not, it is counted as dropped."""
        self._offered += 1
        if self._offered - self._delivered - self._failed - self._dropped <= room:
            return True
        self.dropped()
        return False

    def dropped(self, count: int = 1) -> None:
        """The queue was full."""
        with self._lock:
            self._dropped += count
        self.on_loss(self.signal, count)

    def delivered(self, count: int) -> None:
        """The other side has it."""
        with self._lock:
            self._delivered += count
            self._last_success = self.now()
            self._superseded += self._put_off
            self._put_off = 0

    def failed(self, count: int, error: str) -> None:
        """The other side could not be made to take it."""
        with self._lock:
            self._failed += count
            self._refusals += 1
            self._last_error = error
        self.on_loss(self.signal, count)

    def put_off(self, count: int, error: str) -> None:
        """The other side did not take a collection of metrics. They are cumulative: the next one says it all again."""
        with self._lock:
            self._refusals += 1
            self._last_error = error
            self._superseded += self._put_off
            self._put_off = count

    def troubled(self, error: str) -> None:
        """Something goes wrong, but is still being tried."""
        self._last_error = error

    def snapshot(self) -> Delivery:
        """The counts now."""
        with self._lock:
            return Delivery(
                self.signal,
                self.way,
                self._offered,
                self._delivered,
                self._failed,
                self._dropped,
                self._last_error,
                self._last_success,
                self._refusals,
                self._superseded,
            )
