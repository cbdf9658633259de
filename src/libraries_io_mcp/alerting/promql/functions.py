"""Functions of instant vectors and scalars: mathematics, bounds, sorting, presence, time and date."""

import math
from collections.abc import Callable
from typing import Final

from libraries_io_mcp.alerting.promql.arithmetic import INF, NAN, divide, highest, lowest
from libraries_io_mcp.alerting.promql.labelling import Memo, distinct, nameless
from libraries_io_mcp.alerting.promql.model import (
    METADATA,
    Context,
    Instant,
    Key,
    Matcher,
    Number,
    Range,
    Vector,
    together,
)

_NEGATIVE: Final = ("!=", "!~")
_LEAST_NORMAL: Final = 2.2250738585072014e-308
_EXP_OVERFLOWS: Final = 1023.5 * math.log(2)
"""From here on Go's exponential function is infinite on amd64, a little before a double is."""


def each_value(operand: Instant, compute: Callable[[float], float]) -> Instant:
    """Every value through a function; the names are dropped."""
    names: Memo[Key, Key] = Memo(nameless)

    def at(context: Context) -> Vector:
        return distinct([(names[key], compute(value)) for key, value in operand.at(context)])

    return Instant(at, operand.needs)


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    def compute(value: float) -> float:
        return math.copysign(float(function(value)), value) if math.isfinite(value) else value

    return compute


def _domain(function: Callable[[float], float], at_zero: float) -> Callable[[float], float]:
    def compute(value: float) -> float:
        if value > 0:
            return function(value)
        return at_zero if value == 0 else NAN

    return compute


def _exp(value: float) -> float:
    return INF if value >= _EXP_OVERFLOWS else math.exp(value)


def _log(value: float) -> float:
    # Go on amd64 takes a number below the least normal one for a normal one; so, then, does Prometheus.
    if value < _LEAST_NORMAL:
        return math.log1p(value / _LEAST_NORMAL) - 1023 * math.log(2)
    return math.log(value)


def _log10(value: float) -> float:
    return _log(value) / math.log(10) if value < _LEAST_NORMAL else math.log10(value)


def _sign(value: float) -> float:
    return math.copysign(1.0, value) if value > 0 or value < 0 else value


MATHEMATICS: Final[dict[str, Callable[[float], float]]] = {
    "abs": abs,
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "sqrt": _domain(math.sqrt, 0.0),
    "exp": _exp,
    "ln": _domain(_log, -INF),
    "log2": _domain(math.log2, -INF),
    "log10": _domain(_log10, -INF),
    "sgn": _sign,
}


def rounded(operand: Instant, nearest: Number) -> Instant:
    """`round(v, nearest)`: halves go up, also below zero."""
    names: Memo[Key, Key] = Memo(nameless)

    def at(context: Context) -> Vector:
        vector = operand.at(context)
        inverse = divide(1.0, nearest.at(context))
        floor = MATHEMATICS["floor"]
        return distinct([(names[key], divide(floor(value * inverse + 0.5), inverse)) for key, value in vector])

    return Instant(at, together(operand.needs, nearest.needs))


def clamped(operand: Instant, least: Number, most: Number) -> Instant:
    """`clamp(v, least, most)`: nothing at all when least > most."""
    names: Memo[Key, Key] = Memo(nameless)

    def at(context: Context) -> Vector:
        vector, low, high = operand.at(context), least.at(context), most.at(context)
        if high < low:
            return []
        return distinct([(names[key], highest(low, lowest(high, value))) for key, value in vector])

    return Instant(at, together(operand.needs, least.needs, most.needs))


def ordered(operand: Instant, *, descending: bool) -> Instant:
    """`sort` and `sort_desc`: NaN comes last in both."""
    sign = -1.0 if descending else 1.0

    def rank(element: tuple[Key, float]) -> tuple[bool, float]:
        return math.isnan(element[1]), 0.0 if math.isnan(element[1]) else sign * element[1]

    return Instant(lambda context: sorted(operand.at(context), key=rank), operand.needs)


def scalar(operand: Instant) -> Number:
    """The value of the only element; NaN when there is none or more than one."""

    def at(context: Context) -> float:
        vector = operand.at(context)
        return vector[0][1] if len(vector) == 1 else NAN

    return Number(at, operand.needs)


def vector(operand: Number) -> Instant:
    """A scalar as an element without labels."""
    nothing: Key = frozenset()
    return Instant(lambda context: [(nothing, operand.at(context))], operand.needs)


def timestamp(operand: Instant) -> Instant:
    """Of a bare selector the time of each sample, of anything else the time of the evaluation. Seconds."""
    times = operand.times
    if times is None:

        def times(context: Context) -> Vector:
            return [(key, context.at / 1000) for key, _ in operand.at(context)]

    return each_value(Instant(times, operand.needs), lambda value: value)


def absent(operand: Instant | Range) -> Instant:
    """1 when there is nothing, with the labels that the selector's matchers ask for by `=`."""
    key = _asked_for(operand.selected or ())

    def at(context: Context) -> Vector:
        return [] if operand.at(context) else [(key, 1.0)]

    return Instant(at, operand.needs)


def _asked_for(matchers: tuple[Matcher, ...]) -> Key:
    asked: dict[str, str] = {}
    seen: set[str] = set()
    for each in _as_sorted(matchers):
        # Prometheus takes a label away again that is named twice, even when both ask for the same value.
        if each.op == "=" and each.name not in seen:
            asked[each.name] = each.value
            seen.add(each.name)
        else:
            asked.pop(each.name, None)
    return frozenset(pair for pair in asked.items() if pair[0] not in METADATA and pair[1])


def _as_sorted(matchers: tuple[Matcher, ...]) -> list[Matcher]:
    # Prometheus' database reorders the matchers of the very expression, those that only take away last, and `absent`
    # sees that order: of x{a!="1", a="2"} it takes the label away, unless the database holds nothing of that time.
    required = {each.name for each in matchers if not each.matches("")}
    return sorted(matchers, key=lambda each: each.name not in required or (each.op in _NEGATIVE and each.matches("")))
