"""What people without Prometheus want to know: how often, how long, how well; of late and since the start.

Everything comes from the histograms that Prometheus would get. Memory is bounded: there is one distribution for each
operation and slice of time, operations come from a closed set, and old slices are dropped.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from libraries_io_mcp.telemetry.distribution import Distribution, together

SLICE_SECONDS: Final = 15.0
WINDOW_SECONDS: Final = 300.0
NOTE: Final = (
    "Durations are in seconds. count, min, max and mean are exact; median, p95 and p99 are interpolated within the "
    "histogram's buckets. A failure is a call that ended with an error of the server or of a tool."
)

TOOL_CALL: Final = "tools/call "
"""How the names of operations begin that are calls of tools."""

Operations = Mapping[tuple[str, str], Distribution]
"""By kind (`operations`, `libraries_io_calls`) and name."""


@dataclass(frozen=True, slots=True)
class Latest:
    """One look at everything.

    Attributes:
        facts: as `Summary.facts` gives them.
        tools: all calls of tools together over the last five minutes; `None` if there were none.
        number: that of the slice which is not finished.
        seconds: how many of it have passed.
        operations: what was measured in it.
    """

    facts: Mapping[str, Any]
    tools: Mapping[str, Any] | None
    number: int
    seconds: float
    operations: Operations


@dataclass(frozen=True, slots=True)
class _Told:
    """What was said of one operation, and of which measurements: it is said again as long as they are the same."""

    recent: Distribution | None
    whole: Distribution
    facts: Mapping[str, Any]


class Summary:
    """Gathers what `collect` gives: at each call, all that was measured since the call before.

    `on_slice` is told each slice of time that is finished: its number since the start, and what was measured in it.
    """

    def __init__(
        self,
        collect: Callable[[], Operations],
        *,
        monotonic: Callable[[], float],
        on_slice: Callable[[int, Operations], None] = lambda _number, _operations: None,
    ) -> None:
        self._on_slice = on_slice
        self._collect = collect
        self._monotonic = monotonic
        self._started = monotonic()
        self._lock = threading.Lock()
        self._whole: dict[tuple[str, str], Distribution] = {}
        self._slices: deque[tuple[int, dict[tuple[str, str], Distribution]]] = deque()
        # Of all slices that are finished: they change no more, so they are added up once a slice.
        self._finished: dict[tuple[str, str], Distribution] = {}
        self._told: dict[tuple[str, str], _Told] = {}

    def gather(self) -> None:
        """Put what is new into the current slice. Call it every `SLICE_SECONDS`, from any thread."""
        with self._lock:
            self._gather()

    def _gather(self) -> None:
        slice_number = int((self._monotonic() - self._started) // SLICE_SECONDS)
        if not self._slices or self._slices[-1][0] != slice_number:
            if self._slices:
                self._on_slice(*self._slices[-1])
            self._slices.append((slice_number, {}))
            while self._slices[0][0] <= slice_number - WINDOW_SECONDS // SLICE_SECONDS:
                self._slices.popleft()
            self._finished = _added(each for _, each in list(self._slices)[:-1])
        newest = self._slices[-1][1]
        for key, distribution in self._collect().items():
            for kept in (newest, self._whole):
                kept[key] = kept[key].plus(distribution) if key in kept else distribution

    def latest(self) -> Latest:
        """All that is known at this moment, of one look."""
        with self._lock:
            self._gather()
            number, operations = self._slices[-1]
            recent = [each for key in self._whole if key[1].startswith(TOOL_CALL) and (each := self._recent(key))]
            seconds = self._monotonic() - self._started - number * SLICE_SECONDS
            return Latest(self._facts(), _facts(together(recent)), number, seconds, dict(operations))

    def facts(self) -> dict[str, Any]:
        """Everything as plain data, up to this moment."""
        with self._lock:
            self._gather()
            return self._facts()

    def _facts(self) -> dict[str, Any]:
        kinds: dict[str, dict[str, Any]] = {"operations": {}, "libraries_io_calls": {}}
        uptime = self._monotonic() - self._started
        for (kind, name), whole in sorted(self._whole.items()):
            kinds[kind][name] = self._of((kind, name), whole)
        return {
            "uptime_seconds": round(uptime, 3),
            "window_seconds": min(WINDOW_SECONDS, round(uptime, 3)),
            **kinds,
            "note": NOTE,
        }

    def _of(self, key: tuple[str, str], whole: Distribution) -> Mapping[str, Any]:
        recent, told = self._recent(key), self._told.get(key)
        if told is None or told.recent is not recent or told.whole is not whole:
            facts = {"last_5_minutes": _facts(recent), "since_start": _facts(whole)}
            self._told[key] = told = _Told(recent, whole, facts)
        return told.facts

    def _recent(self, key: tuple[str, str]) -> Distribution | None:
        finished, current = self._finished.get(key), self._slices[-1][1].get(key)
        return finished.plus(current) if finished and current else finished or current


def _added(slices: Iterable[Operations]) -> dict[tuple[str, str], Distribution]:
    added: dict[tuple[str, str], Distribution] = {}
    for slice_ in slices:
        for key, distribution in slice_.items():
            added[key] = added[key].plus(distribution) if key in added else distribution
    return added


def _facts(distribution: Distribution | None) -> dict[str, Any] | None:
    if distribution is None:
        return None
    return {
        "count": distribution.count,
        "failures": distribution.failures,
        "success_rate": round(distribution.success_rate, 6),
        "min": round(distribution.min, 6),
        "max": round(distribution.max, 6),
        "mean": round(distribution.mean, 6),
        "median": round(distribution.percentile(0.5), 6),
        "p95": round(distribution.percentile(0.95), 6),
        "p99": round(distribution.percentile(0.99), 6),
    }
