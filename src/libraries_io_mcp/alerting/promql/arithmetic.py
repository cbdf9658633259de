"""Arithmetic on floats as Go does it, where Python would raise: divisions by zero, overflow, domains."""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Final

NAN: Final = math.nan
INF: Final = math.inf


def divide(left: float, right: float) -> float:
    """IEEE 754 division."""
    if right:
        return left / right
    if left != left or not left:  # noqa: PLR0124 - NaN alone differs from itself
        return NAN
    return math.copysign(INF, left) * math.copysign(1.0, right)


def modulo(left: float, right: float) -> float:
    """The remainder with the sign of the dividend."""
    try:
        return math.fmod(left, right)
    except ValueError:
        return NAN


def power(left: float, right: float) -> float:
    """C99's pow without its exceptions."""
    try:
        return math.pow(left, right)
    except OverflowError:
        return -INF if left < 0 and math.fmod(right, 2) else INF
    except ValueError:
        if left:
            return NAN
        odd = math.fmod(right, 2) in (1.0, -1.0)
        return math.copysign(INF, left) if odd else INF


def lowest(left: float, right: float) -> float:
    """Go's math.Min: -Inf wins over NaN, NaN over all else."""
    if -INF in (left, right):
        return -INF
    return NAN if left != left or right != right else min(left, right)  # noqa: PLR0124 - NaN alone differs from itself


def highest(left: float, right: float) -> float:
    """Go's math.Max: +Inf wins over NaN, NaN over all else."""
    if INF in (left, right):
        return INF
    return NAN if left != left or right != right else max(left, right)  # noqa: PLR0124 - NaN alone differs from itself


ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": divide,
    "%": modulo,
    "^": power,
    "atan2": math.atan2,
}
COMPARISON: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def add_compensated(value: float, total: float, lost: float) -> tuple[float, float]:
    """One step of Kahan's summation as Neumaier improved it: the new total and what it lost."""
    added = total + value
    if math.isinf(added):
        return added, 0.0
    if abs(total) >= abs(value):
        return added, lost + ((total - added) + value)
    return added, lost + ((value - added) + total)


def total_of(values: Sequence[float]) -> float:
    """The sum by compensated summation."""
    if _of_one_sign(values):
        return math.fsum(values)
    total = lost = 0.0
    for value in values:
        total, lost = add_compensated(value, total, lost)
    return total if math.isinf(total) else total + lost


def mean_of(values: Sequence[float]) -> float:
    """The mean by compensated summation; incremental from the value on that would make the sum overflow."""
    if _of_one_sign(values):
        return math.fsum(values) / len(values)
    total, lost = values[0], 0.0
    for index in range(1, len(values)):
        added, rest = add_compensated(values[index], total, lost)
        if math.isinf(added):
            return _incremental_mean(values, index, total / index, lost / index)
        total, lost = added, rest
    return total / len(values) + lost / len(values)


def _incremental_mean(values: Sequence[float], start: int, mean: float, lost: float) -> float:
    for index in range(start, len(values)):
        count = index + 1
        share = index / count
        mean, lost = add_compensated(values[index] / count, share * mean, share * lost)
    return mean + lost


def _of_one_sign(values: Sequence[float]) -> bool:
    # Without cancellation the exact sum and the compensated one differ by their last bit at most, and C is fast.
    return math.isfinite(sum(values)) and (min(values, default=0.0) >= 0 or max(values) <= 0)


def quantile_of(share: float, values: Sequence[float]) -> float:
    """Prometheus' quantile: linear between neighbours, NaN sorts first; outside 0..1 infinite."""
    if not values or share != share:  # noqa: PLR0124 - NaN alone differs from itself
        return NAN
    if not 0 <= share <= 1:
        return -INF if share < 0 else INF
    ordered = sorted(values, key=nan_first)
    rank = share * (len(ordered) - 1)
    lower = max(0, math.floor(rank))
    weight = rank - math.floor(rank)
    if not weight:
        return ordered[lower]
    upper = min(len(ordered) - 1, lower + 1)
    return ordered[lower] * (1 - weight) + ordered[upper] * weight


def nan_first(value: float) -> tuple[bool, float]:
    """A sort key: NaN before every number."""
    return (False, 0.0) if value != value else (True, value)  # noqa: PLR0124 - NaN alone differs from itself
