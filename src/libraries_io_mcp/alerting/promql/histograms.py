"""`histogram_quantile` over classic histograms: series of cumulative buckets with the label `le`."""

import math
import re
from typing import Final

from libraries_io_mcp.alerting.promql.arithmetic import INF, NAN, divide
from libraries_io_mcp.alerting.promql.labelling import Memo, distinct, label, nameless, without
from libraries_io_mcp.alerting.promql.model import Context, Instant, Key, Number, Vector, together

_BOUND: Final = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)", re.ASCII | re.IGNORECASE)
_TOLERANCE: Final = 1e-12
_LEAST_NORMAL: Final = 2.2250738585072014e-308


def quantile(share: Number, buckets: Instant) -> Instant:
    """`histogram_quantile(q, buckets)`; elements without a readable `le` are left out, as Prometheus does."""
    parts: Memo[Key, tuple[Key, float | None]] = Memo(_parts)
    names: Memo[Key, Key] = Memo(nameless)

    def at(context: Context) -> Vector:
        wanted = share.at(context)
        histograms: dict[Key, list[tuple[float, float]]] = {}
        for key, count in buckets.at(context):
            group, bound = parts[key]
            if bound is not None:
                histograms.setdefault(group, []).append((bound, count))
        return distinct([(names[group], bucket_quantile(wanted, found)) for group, found in histograms.items()])

    return Instant(at, together(share.needs, buckets.needs))


def _parts(key: Key) -> tuple[Key, float | None]:
    bound = label(key, "le")
    if not _BOUND.fullmatch(bound):
        return key, None
    number = float(bound)
    beyond = math.isinf(number) and bound.strip("+-")[0] not in "iI"  # to Go, 1e999 is no number
    return without(key, ("le",)), None if beyond else number


def bucket_quantile(share: float, buckets: list[tuple[float, float]]) -> float:
    """The quantile by linear interpolation within its bucket. `buckets`: upper bound and cumulative count, unsorted.

    Outside 0..1 it is infinite; NaN without observations, without a bucket +Inf, or with that bucket alone. In the
    highest bucket it is that bucket's lower bound, in a lowest bucket that ends at 0 or below its upper bound.
    """
    if math.isnan(share):
        return NAN
    if not 0 <= share <= 1:
        return -INF if share < 0 else INF
    bounds, counts = _merged(sorted(buckets, key=lambda bucket: bucket[0]))
    if bounds[-1] != INF or len(bounds) < 2:
        return NAN
    _make_monotonic(counts)
    return _within(bounds, counts, share * counts[-1]) if counts[-1] else NAN


def _within(bounds: list[float], counts: list[float], rank: float) -> float:
    found = _first_with(counts, rank)
    if found == len(bounds) - 1:
        return bounds[-2]
    if found == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[found - 1], counts[found - 1]) if found else (0.0, 0.0)
    return start + (bounds[found] - start) * divide(rank - below, counts[found] - below)


def _first_with(counts: list[float], rank: float) -> int:
    # Go's binary search over all but the last; with NaN among the counts the way matters, so it is the same way.
    low, high = 0, len(counts) - 1
    while low < high:
        middle = (low + high) // 2
        if counts[middle] >= rank:
            high = middle
        else:
            low = middle + 1
    return low


def _merged(buckets: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    bounds, counts = [buckets[0][0]], [buckets[0][1]]
    for bound, count in buckets[1:]:
        if bound == bounds[-1]:
            counts[-1] += count
        else:
            bounds.append(bound)
            counts.append(count)
    return bounds, counts


def _make_monotonic(counts: list[float]) -> None:
    # Buckets are scraped and summed as floats: a tiny difference is noise, and a fall cannot be.
    before = counts[0]
    for index, count in enumerate(counts[1:], 1):
        if count < before or _nearly_equal(before, count):
            counts[index] = before
        else:
            before = count


def _nearly_equal(left: float, right: float) -> bool:
    if left == right or (math.isnan(left) and math.isnan(right)):
        return True
    total, distance = abs(left) + abs(right), abs(left - right)
    if not left or not right or total < _LEAST_NORMAL:
        return distance < _TOLERANCE * _LEAST_NORMAL
    return distance / min(total, 1.7976931348623157e308) < _TOLERANCE
