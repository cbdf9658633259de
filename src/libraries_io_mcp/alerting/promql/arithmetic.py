"""Arithmetic on floats as Go does it, where Python would raise: divisions by zero, overflow, domains."""

import math
import operator
from collections.abc import Callable, Iterable, Sequence
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


def power(base: float, exponent: float) -> float:
    """As Go does it: whole exponents by squaring, so that the last digits are the same; the rest by exp and log."""
    if base == 1 or not exponent or not math.isfinite(base) or not math.isfinite(exponent):
        return math.pow(base, exponent)
    if not base:
        return _power_of_zero(base, exponent)
    if abs(exponent) == 0.5:
        root = math.sqrt(base) if base > 0 else NAN
        return root if exponent > 0 else 1 / root
    part, whole = math.modf(abs(exponent))
    if part and base < 0:
        return NAN
    if whole >= 2.0**63:
        return 1.0 if base == -1 else 0.0 if (abs(base) < 1) == (exponent > 0) else INF
    return _power(base, part, int(whole), inverse=exponent < 0)


def _power_of_zero(base: float, exponent: float) -> float:
    if exponent > 0:
        return math.pow(base, exponent)
    return math.copysign(INF, base) if math.fmod(exponent, 2) in (1.0, -1.0) else INF


def _power(base: float, part: float, whole: int, *, inverse: bool) -> float:
    digits, power_of_two = 1.0, 0
    if part > 0.5:
        part, whole = part - 1, whole + 1
    if part:
        digits = math.exp(part * math.log(base))
    square, two = math.frexp(base)
    while whole:
        if abs(two) > 4096:  # beyond any double: infinite or zero, whatever comes
            power_of_two += two
            break
        if whole & 1:
            digits, power_of_two = digits * square, power_of_two + two
        square, two = square * square, two * 2
        if square < 0.5:
            square, two = square + square, two - 1
        whole >>= 1
    if inverse:
        digits, power_of_two = 1 / digits, -power_of_two
    try:
        return math.ldexp(digits, power_of_two)
    except OverflowError:
        return math.copysign(INF, digits)


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
    if added in (INF, -INF):
        return added, 0.0
    if abs(total) >= abs(value):
        return added, lost + ((total - added) + value)
    return added, lost + ((value - added) + total)


def total_of(values: Iterable[float]) -> float:
    """The sum by compensated summation."""
    total = lost = 0.0
    for value in values:
        total, lost = add_compensated(value, total, lost)
    return total if math.isinf(total) else total + lost


def mean_of(values: Sequence[float]) -> float:
    """The mean by compensated summation; incremental from the value on that would make the sum overflow."""
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
