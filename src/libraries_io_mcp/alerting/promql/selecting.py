"""Selectors: the newest sample within five minutes, the samples within a range, and subqueries."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from libraries_io_mcp.alerting.promql.labelling import distinct
from libraries_io_mcp.alerting.promql.model import (
    NAME,
    Context,
    Instant,
    Key,
    Matcher,
    Needs,
    Range,
    Vector,
    Window,
    is_stale,
    key_of,
)

LOOKBACK_SECONDS: Final = 300.0
"""How old a sample may be to count as the present one: Prometheus' default."""
_LOOK_BACK: Final = round(LOOKBACK_SECONDS * 1000)


@dataclass(frozen=True, slots=True)
class Shift:
    """`offset` in milliseconds, and whether `@ start()` or `@ end()` ties the selector to the query's own time."""

    offset: int = 0
    at_query: bool = False

    def end(self, context: Context) -> int:
        """The time that is looked at, in milliseconds."""
        return (context.query if self.at_query else context.at) - self.offset


def instant(matchers: tuple[Matcher, ...], shift: Shift) -> Instant:
    """An instant vector selector: a series whose newest sample is a stale marker is not there."""

    def at(context: Context) -> Vector:
        end = shift.end(context)
        found: Vector = []
        for series in context.storage.select(matchers, (end - _LOOK_BACK) / 1000, end / 1000):
            values = series.values
            if values and not ((value := values[-1]) != value and is_stale(value)):
                found.append((key_of(series.labels), value))
        return found

    def times(context: Context) -> Vector:
        end = shift.end(context)
        selected = context.storage.select(matchers, (end - _LOOK_BACK) / 1000, end / 1000)
        return [
            (key_of(each.labels), each.times[-1]) for each in selected if each.values and not is_stale(each.values[-1])
        ]

    return Instant(at, _needs(matchers, _LOOK_BACK + shift.offset), matchers, times)


def ranged(matchers: tuple[Matcher, ...], length: int, shift: Shift) -> Range:
    """A range vector selector over `length` milliseconds; stale markers are left out, and series without a sample."""

    def window(context: Context) -> Window:
        end = shift.end(context)
        return Window(end - length, end, context.at)

    def at(context: Context) -> list[tuple[Key, Sequence[float], list[float]]]:
        end = shift.end(context)
        found: list[tuple[Key, Sequence[float], list[float]]] = []
        for series in context.storage.select(matchers, (end - length) / 1000, end / 1000):
            times, values = series.times, list(series.values)
            if not math.isfinite(sum(values)):
                times, values = _without_stale(times, values)
            if values:
                found.append((key_of(series.labels), times, values))
        return found

    return Range(at, window, _needs(matchers, length + shift.offset), matchers)


def subquery(operand: Instant, length: int, step: int, shift: Shift) -> Range:
    """The operand at every multiple of `step` in the range, as Prometheus aligns it: to 1970, not to the evaluation."""

    def window(context: Context) -> Window:
        end = shift.end(context)
        return Window(end - length, end, context.at)

    def at(context: Context) -> list[tuple[Key, Sequence[float], list[float]]]:
        end = shift.end(context)
        first = step * ((end - length) // step) + step
        series: dict[Key, tuple[list[float], list[float]]] = {}
        for moment in range(first, end + 1, step):
            inner = Context(context.storage, moment, context.query)
            for key, value in distinct(operand.at(inner)):
                times, values = series.setdefault(key, ([], []))
                times.append(moment / 1000)
                values.append(value)
        return [(key, times, values) for key, (times, values) in series.items()]

    further = {name: reach + length + shift.offset for name, reach in operand.needs.items()}
    return Range(at, window, further)


def _without_stale(times: Sequence[float], values: list[float]) -> tuple[Sequence[float], list[float]]:
    if not any(is_stale(value) for value in values):
        return times, values
    kept = [index for index, value in enumerate(values) if not is_stale(value)]
    return [times[index] for index in kept], [values[index] for index in kept]


def _needs(matchers: tuple[Matcher, ...], reach: int) -> Needs:
    name = next((each.value for each in matchers if each.name == NAME and each.op == "="), None)
    return {name: max(0, reach)}
