"""A Storage over series with times of their own, as Prometheus keeps them."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from libraries_io_mcp.alerting.promql import Labels, Matcher, Series


class RecordedSeries:
    """What was recorded, in that order."""

    def __init__(self, series: Iterable[tuple[Labels, Sequence[tuple[float, float]]]]) -> None:
        self._series = [(labels, [time for time, _ in each], [value for _, value in each]) for labels, each in series]

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Sequence[Series]:
        """Samples of start < t <= end."""
        found = []
        for labels, times, values in self._series:
            if all(each.matches(labels.get(each.name, "")) for each in matchers):
                first, last = bisect_right(times, start), bisect_right(times, end)
                found.append(Series(labels, times[first:last], values[first:last]))
        return found
