"""Samples that rules have given at this very moment, laid over those that are stored."""

from collections.abc import Iterable, Mapping, Sequence

from libraries_io_mcp.alerting.promql import Matcher, Series, Storage

Labels = Mapping[str, str]
Key = frozenset[tuple[str, str]]


class Overlay:
    """A storage that also shows what `add` was given, at `time`. What the stored series have at `time` wins."""

    def __init__(self, storage: Storage, time: float) -> None:
        self._storage = storage
        self._time = time
        self._added: dict[Key, tuple[Labels, float]] = {}
        self._by_name: dict[str, dict[Key, tuple[Labels, float]]] = {}

    def add(self, samples: Iterable[tuple[Labels, float]]) -> None:
        """Show these, too. A series that was added before keeps its first value, as a database would."""
        for labels, value in samples:
            key = frozenset(labels.items())
            kept = self._added.setdefault(key, (labels, value))
            self._by_name.setdefault(labels["__name__"], {})[key] = kept

    def added(self) -> list[tuple[Labels, float]]:
        """All that was added, in order."""
        return list(self._added.values())

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Sequence[Series]:
        """Series with samples after `start` and until `end`."""
        stored = self._storage.select(matchers, start, end)
        if not start < self._time <= end:
            return stored
        name = next((each.value for each in matchers if each.name == "__name__" and each.op == "="), None)
        added = self._added if name is None else self._by_name.get(name, {})
        fitting = {key: each for key, each in added.items() if _fits(each[0], matchers)}
        if not fitting:
            return stored
        found = []
        for series in stored:
            given = fitting.pop(frozenset(series.labels.items()), None)
            found.append(series if given is None else self._extended(series, given[1]))
        new = (Series(labels, (self._time,), (value,)) for labels, value in fitting.values())
        return [*found, *new]

    def _extended(self, series: Series, value: float) -> Series:
        if series.times and series.times[-1] >= self._time:
            return series
        return Series(series.labels, (*series.times, self._time), (*series.values, value))


def _fits(labels: Labels, matchers: Sequence[Matcher]) -> bool:
    return all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)
