"""Samples in memory for as long as the rules look back: a bounded ring of them for every series."""

import math
import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from libraries_io_mcp.alerting.promql import STALE, Labels, LabelSet, Matcher, Series, is_stale
from libraries_io_mcp.alerting.promql.model import NAME, Key, key_of

SERIES_BYTES: Final = 16_384
"""Most that a series takes beside its samples, with up to 20 labels of up to 60 characters each."""
SAMPLE_BYTES: Final = 24
"""Most that a sample takes: two doubles, the room that an array keeps free, and its share of what is not yet cut."""
_SELECTORS: Final = 1_000
"""Of so many selectors it is remembered which series they select."""
_SLACK: Final = 0.25
"""Old samples are cut away when they are this part of a ring, so that cutting costs little a sample."""


def bytes_bound(keep_seconds: float, max_series: int, interval: float) -> int:
    """The most memory that a store takes when samples come every `interval` seconds."""
    return max_series * (SERIES_BYTES + SAMPLE_BYTES * (math.ceil(keep_seconds / interval) + 2))


class _Ring:
    """One series: its samples in two arrays, oldest first."""

    __slots__ = ("appended", "given", "keep_seconds", "labels", "times", "values")

    def __init__(self, labels: LabelSet, keep_seconds: float) -> None:
        self.labels = labels
        self.given: Labels = labels
        self.keep_seconds = keep_seconds
        self.times = array("d")
        self.values = array("d")
        self.appended = 0

    def append(self, time: float, value: float) -> None:
        """Add the newest sample and cut old ones, some at a time."""
        self.times.append(time)
        self.values.append(value)
        oldest = time - self.keep_seconds
        if self.times[0] <= oldest:
            old = bisect_right(self.times, oldest)
            if old > _SLACK * len(self.times):
                self.times, self.values = self.times[old:], self.values[old:]

    def between(self, start: float, end: float) -> Series | None:
        """Its samples of start < t <= end, if it has any."""
        times = self.times
        first, last = bisect_right(times, start), bisect_right(times, end)
        return Series(self.labels, times[first:last], self.values[first:last]) if first < last else None


class SampleStore:
    """A Storage for one writer and readers in other threads.

    With `ends_missing`, a series that was in the last append and is not in this one gets a stale marker, as a series
    that a scraped target has no more does. Prometheus does no such thing for what comes by OTLP (the last value is seen
    until the look-back is over), nor for rules (the evaluator gives their markers). Samples are dropped after
    `keep_seconds`, a series with its last sample. `bytes_bound` says how much memory that can take.

    Args:
        keep_seconds: how long samples are kept.
        max_series: how many series; one more is refused, and counted.
        keep: only these metrics, each for so many seconds of its own: `Expression.needs` says which and how long.
    """

    def __init__(
        self,
        keep_seconds: float,
        max_series: int,
        keep: Mapping[str, float] | None = None,
        *,
        ends_missing: bool = True,
    ) -> None:
        self._ends_missing = ends_missing
        self._keep_seconds = keep_seconds
        self._max_series = max_series
        self._keep = keep
        self._lock = threading.Lock()
        self._rings: dict[Key, _Ring] = {}
        self._by_name: dict[str, list[_Ring]] = {}
        # Both by identity, with the object kept beside it: the same labels and matchers come again and again.
        self._by_labels: dict[int, _Ring] = {}
        self._selected: dict[int, tuple[Sequence[Matcher], list[_Ring]]] = {}
        self._refused = 0
        self._appends = 0
        self._last = -math.inf

    @property
    def series(self) -> int:
        """How many series are kept."""
        return len(self._rings)

    @property
    def samples(self) -> int:
        """How many samples are kept, stale markers among them."""
        with self._lock:
            return sum(len(ring.values) for ring in self._rings.values())

    @property
    def refused(self) -> int:
        """How many series of the last append were over the bound."""
        return self._refused

    def append(self, time: float, samples: Iterable[tuple[Labels, float]]) -> None:
        """Add what was collected at one time, in seconds. Of a series that comes twice, the first value counts.

        The same labels as the same object each time cost less; a mapping that was given must not be changed afterwards.

        Raises:
            ValueError: `time` is not after that of the last append.
        """
        moment = round(time * 1000) / 1000
        with self._lock:
            if moment <= self._last:
                raise ValueError(f"samples of {moment} come after those of {self._last}")
            self._last = moment
            self._appends += 1
            self._refused = 0
            for labels, value in samples:
                self._add(moment, labels, value)
            for key, ring in list(self._rings.items()):
                self._look_after(moment, key, ring)

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Sequence[Series]:
        """Every series that fulfils all matchers and has a sample of start < t <= end, with those."""
        with self._lock:
            found = [ring.between(start, end) for ring in self._matching(matchers)]
        return [each for each in found if each is not None]

    def _matching(self, matchers: Sequence[Matcher]) -> list[_Ring]:
        known = self._selected.get(id(matchers))
        if known is not None and known[0] is matchers:
            return known[1]
        found = self._search(matchers)
        if not isinstance(matchers, tuple):  # it may be changed, and be the same object
            return found
        if len(self._selected) >= _SELECTORS:
            self._selected.clear()
        self._selected[id(matchers)] = (matchers, found)
        return found

    def _search(self, matchers: Sequence[Matcher]) -> list[_Ring]:
        name = next((each.value for each in matchers if each.name == NAME and each.op == "="), None)
        rings = list(self._rings.values()) if name is None else self._by_name.get(name, [])
        others = [each for each in matchers if each.name != NAME or each.op != "=" or each.value != name]
        return [ring for ring in rings if all(each.matches(ring.labels.get(each.name, "")) for each in others)]

    def _add(self, moment: float, labels: Labels, value: float) -> None:
        ring = self._by_labels.get(id(labels))
        if ring is None or ring.given is not labels:
            ring = self._ring(labels, value)
        if ring is not None and ring.appended != self._appends:
            ring.appended = self._appends
            ring.append(moment, value)

    def _ring(self, labels: Labels, value: float) -> _Ring | None:
        key = key_of(labels)
        ring = self._rings.get(key) or self._new(key, labels, value)
        if ring is not None:
            self._by_labels.pop(id(ring.given), None)
            ring.given = labels
            self._by_labels[id(labels)] = ring
        return ring

    def _new(self, key: Key, labels: Labels, value: float) -> _Ring | None:
        name = labels.get(NAME, "")
        if is_stale(value) or (self._keep is not None and name not in self._keep):
            return None
        if len(self._rings) >= self._max_series:
            self._refused += 1
            return None
        keep_seconds = self._keep_seconds if self._keep is None else self._keep[name]
        ring = self._rings[key] = _Ring(LabelSet(labels), keep_seconds)
        self._by_name.setdefault(name, []).append(ring)
        self._selected.clear()
        return ring

    def _look_after(self, moment: float, key: Key, ring: _Ring) -> None:
        missing = self._ends_missing and ring.appended == self._appends - 1
        if missing and not is_stale(ring.values[-1]):
            ring.append(moment, STALE)
        if ring.times[-1] <= moment - ring.keep_seconds:
            del self._rings[key]
            self._by_labels.pop(id(ring.given), None)
            self._selected.clear()
            self._by_name[ring.labels.get(NAME, "")].remove(ring)
