"""Samples in memory for as long as the rules look back: a bounded ring of them for every series."""

import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from libraries_io_mcp.alerting.promql.model import NAME, STALE, Key, Labels, LabelSet, Matcher, Series, key_of

_SLACK: Final = 0.25
"""Old samples are cut away when they are this part of a ring, so that cutting costs little a sample."""


class _Ring:
    """One series: its samples in two arrays, oldest first."""

    __slots__ = ("appended", "labels", "times", "values")

    def __init__(self, labels: LabelSet) -> None:
        self.labels = labels
        self.times = array("d")
        self.values = array("d")
        self.appended = 0

    def append(self, time: float, value: float, oldest: float) -> None:
        self.times.append(time)
        self.values.append(value)
        if self.times[0] <= oldest:
            old = bisect_right(self.times, oldest)
            if old > _SLACK * len(self.times):
                self.times, self.values = self.times[old:], self.values[old:]

    def between(self, start: float, end: float) -> Series | None:
        times, values = self.times, self.values
        first, last = bisect_right(times, start), bisect_right(times, end)
        if first >= last:
            return None
        return Series(self.labels, times[first:last], values[first:last])


class SampleStore:
    """A Storage for one writer and readers in other threads.

    A series that was in the last append and is not in this one gets a stale marker, as a target's lost series does.
    Samples older than `keep_seconds` are dropped; a series is forgotten with its last sample. Over `max_series` a new
    series is refused and counted in `refused`.

    With `keep`, seconds by metric name, only those metrics are kept, each for its own time: `Expression.needs` says
    which. The largest size in bytes is given by `bytes_bound`.
    """

    def __init__(self, keep_seconds: float, max_series: int, keep: Mapping[str, float] | None = None) -> None:
        self._keep_seconds = keep_seconds
        self._max_series = max_series
        self._keep = keep
        self._lock = threading.Lock()
        self._rings: dict[Key, _Ring] = {}
        self._by_name: dict[str, list[_Ring]] = {}
        self._refused: set[Key] = set()
        self._appends = 0
        self._last: float | None = None

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
        return len(self._refused)

    def append(self, time: float, samples: Iterable[tuple[Labels, float]]) -> None:
        """Add the samples of one collection. `time` in seconds, later than that of the append before."""
        moment = round(time * 1000) / 1000
        with self._lock:
            if self._last is not None and moment <= self._last:
                raise ValueError(f"samples at {moment} after those at {self._last}")
            self._last = moment
            self._appends += 1
            self._refused.clear()
            for labels, value in samples:
                self._add(moment, labels, value)
            self._end_missing(moment)
            self._forget(moment)

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Sequence[Series]:
        """Every series that fulfils all matchers and has a sample of start < t <= end, with those."""
        with self._lock:
            found = (ring.between(start, end) for ring in self._matching(matchers))
            return [each for each in found if each is not None]

    def _matching(self, matchers: Sequence[Matcher]) -> list[_Ring]:
        name = next((each.value for each in matchers if each.name == NAME and each.op == "="), None)
        rings = list(self._rings.values()) if name is None else self._by_name.get(name, [])
        others = [each for each in matchers if each.name != NAME or each.op != "="]
        return [ring for ring in rings if all(each.matches(ring.labels.get(each.name, "")) for each in others)]

    def _add(self, moment: float, labels: Labels, value: float) -> None:
        key = key_of(labels)
        ring = self._rings.get(key)
        if ring is None:
            ring = self._new(key, labels)
            if ring is None:
                return
        ring.appended = self._appends
        ring.append(moment, value, moment - self._keep_seconds)

    def _new(self, key: Key, labels: Labels) -> _Ring | None:
        name = labels.get(NAME, "")
        if self._keep is not None and name not in self._keep:
            return None
        if len(self._rings) >= self._max_series:
            self._refused.add(key)
            return None
        ring = self._rings[key] = _Ring(LabelSet(labels))
        self._by_name.setdefault(name, []).append(ring)
        return ring

    def _end_missing(self, moment: float) -> None:
        before = self._appends - 1
        for ring in self._rings.values():
            if ring.appended == before:
                ring.append(moment, STALE, moment - self._keep_seconds)

    def _forget(self, moment: float) -> None:
        oldest = moment - self._keep_seconds
        for key, ring in list(self._rings.items()):
            if ring.times[-1] <= oldest:
                del self._rings[key]
                self._by_name[ring.labels.get(NAME, "")].remove(ring)
