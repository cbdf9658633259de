"""How often and how long, as a histogram tells it; and what can be read off one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self


@dataclass(frozen=True, slots=True)
class Distribution:
    """Measurements in buckets, in seconds.

    Attributes:
        bounds: upper bounds of all buckets but the last, which has none; ascending.
        buckets: how many measurements are in each: one more than there are bounds.
        failures: how many of them were of something that failed.
    """

    bounds: tuple[float, ...]
    buckets: tuple[int, ...]
    total: float
    min: float
    max: float
    failures: int = 0

    @property
    def count(self) -> int:
        """How many measurements."""
        return sum(self.buckets)

    @property
    def mean(self) -> float:
        """Exact, since the histogram keeps the sum."""
        return self.total / self.count

    @property
    def success_rate(self) -> float:
        """From 0 to 1."""
        return 1 - self.failures / self.count

    def plus(self, other: Self) -> "Distribution":
        """Both together; they have the same bounds."""
        return Distribution(
            self.bounds,
            tuple(mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)),
            self.total + other.total,
            min(self.min, other.min),
            max(self.max, other.max),
            self.failures + other.failures,
        )

    def percentile(self, share: float) -> float:
        """The value that `share` of the measurements do not exceed, interpolated within its bucket.

        The first and the last bucket that hold anything end at the smallest and the largest measurement.
        """
        wanted = share * self.count
        seen = 0
        edges = pairwise((self.min, *self.bounds, self.max))
        for (low, high), inside in zip(edges, self.buckets, strict=True):
            if inside and seen + inside >= wanted:
                start, end = max(low, self.min), min(high, self.max)
                return start + (end - start) * (wanted - seen) / inside
            seen += inside
        return self.max


def together(distributions: Sequence[Distribution]) -> Distribution | None:
    """All of them as one; `None` of none."""
    result: Distribution | None = None
    for each in distributions:
        result = each if result is None else result.plus(each)
    return result
