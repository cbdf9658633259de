"""Aggregation operators: `sum by (...)` and its kind."""

import heapq
import math
from collections.abc import Callable, Sequence
from typing import Final

from libraries_io_mcp.alerting.promql.arithmetic import mean_of, quantile_of, total_of
from libraries_io_mcp.alerting.promql.errors import EvaluationError
from libraries_io_mcp.alerting.promql.formatting import plain_decimal
from libraries_io_mcp.alerting.promql.labelling import Memo, labelled, only, without
from libraries_io_mcp.alerting.promql.model import METADATA, Context, Instant, Key, Number, Text, Vector, together
from libraries_io_mcp.alerting.promql.over_time import greatest, smallest

_BEYOND_INT64: Final = 2.0**63


def variance_of(values: Sequence[float]) -> float:
    """The population variance by Welford's method, uncompensated: so does Prometheus here, other than over time."""
    mean, total = values[0], 0.0 if math.isfinite(values[0]) else math.nan
    for count, value in enumerate(values[1:], 2):
        distance = value - mean
        mean += distance / count
        total += distance * (value - mean)
    return total / len(values)


def _deviation_of(values: Sequence[float]) -> float:
    variance = variance_of(values)
    return math.sqrt(variance) if variance >= 0 else math.nan


SIMPLE: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "sum": total_of,
    "avg": mean_of,
    "min": smallest,
    "max": greatest,
    "count": lambda values: float(len(values)),
    "group": lambda _values: 1.0,
    "stddev": _deviation_of,
    "stdvar": variance_of,
}
RANKING: Final = frozenset({"topk", "bottomk"})


class Grouping:
    """The label set of the group that a label set belongs to."""

    def __init__(self, names: Sequence[str], *, excluded: bool) -> None:
        kept = METADATA.union(names) if excluded else frozenset(names)
        self.names = kept
        self.excluded = excluded
        self.of: Memo[Key, Key] = Memo(lambda key: without(key, kept) if excluded else only(key, kept))

    def groups(self, vector: Vector) -> dict[Key, list[float]]:
        """The values by group."""
        found: dict[Key, list[float]] = {}
        of = self.of
        for key, value in vector:
            group = of[key]
            if group in found:
                found[group].append(value)
            else:
                found[group] = [value]
        return found


def simple(name: str, operand: Instant, grouping: Grouping) -> Instant:
    """An aggregation without a parameter."""
    reduce = SIMPLE[name]

    def at(context: Context) -> Vector:
        return [(group, reduce(values)) for group, values in grouping.groups(operand.at(context)).items()]

    return Instant(at, operand.needs)


def quantile(share: Number, operand: Instant, grouping: Grouping) -> Instant:
    """`quantile(q, ...)`."""

    def at(context: Context) -> Vector:
        wanted = share.at(context)
        groups = grouping.groups(operand.at(context))
        return [(group, quantile_of(wanted, values)) for group, values in groups.items()]

    return Instant(at, together(share.needs, operand.needs))


def ranking(name: str, count: Number, operand: Instant, grouping: Grouping) -> Instant:
    """`topk` and `bottomk`: the elements keep all their labels; NaN ranks last in both."""
    sign = 1.0 if name == "topk" else -1.0

    def rank(element: tuple[Key, float]) -> tuple[bool, float]:
        value = element[1]
        return (False, 0.0) if math.isnan(value) else (True, sign * value)

    def at(context: Context) -> Vector:
        wanted, vector = count.at(context), operand.at(context)
        limit = _limit(wanted)
        groups: dict[Key, Vector] = {}
        for element in vector:
            groups.setdefault(grouping.of[element[0]], []).append(element)
        return [element for group in groups.values() for element in heapq.nlargest(limit, group, key=rank)]

    return Instant(at, together(count.needs, operand.needs))


def _limit(wanted: float) -> int:
    if math.isnan(wanted):
        raise EvaluationError("Parameter value is NaN")
    if wanted < 1:
        return 0
    if wanted >= _BEYOND_INT64:
        raise EvaluationError(f"Scalar value {wanted} overflows int64")
    return int(wanted)


def count_values(name: Text, operand: Instant, names: Sequence[str], *, excluded: bool) -> Instant:
    """`count_values("label", ...)`: how many elements have each value, which becomes a label."""
    grouping = Grouping(names if excluded else [*names, name.value], excluded=excluded)

    def at(context: Context) -> Vector:
        valued = [(labelled(key, name.value, plain_decimal(value)), value) for key, value in operand.at(context)]
        return [(group, float(len(values))) for group, values in grouping.groups(valued).items()]

    return Instant(at, operand.needs)
