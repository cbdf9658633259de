"""Functions on how a series moves within a range: rate and its family, resets, changes, linear regression."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from libraries_io_mcp.alerting.promql.arithmetic import NAN, add_compensated, divide
from libraries_io_mcp.alerting.promql.model import Window

_CLOSE_ENOUGH: Final = 1.1
"""A sample this many average distances from the edge of the range, or nearer, is extrapolated to the edge."""


def rate(times: Sequence[float], values: list[float], window: Window) -> float | None:
    """A counter's increase a second."""
    if len(values) < 2:
        return None
    gained = _gained(values)
    return gained * (_factor(times, values, window, gained) / ((window.end - window.start) / 1000))


def increase(times: Sequence[float], values: list[float], window: Window) -> float | None:
    """A counter's increase over the range, extrapolated to its edges."""
    if len(values) < 2:
        return None
    gained = _gained(values)
    return gained * _factor(times, values, window, gained)


def delta(times: Sequence[float], values: list[float], window: Window) -> float | None:
    """A gauge's change over the range, extrapolated to its edges."""
    if len(values) < 2:
        return None
    return (values[-1] - values[0]) * _factor(times, values, window, None)


def _gained(values: list[float]) -> float:
    gained = values[-1] - values[0]
    if not _never_falls(values):
        for before, after in pairwise(values):
            if after < before:
                gained += before
    return gained


def _factor(times: Sequence[float], values: list[float], window: Window, gained: float | None) -> float:
    first, last = round(times[0] * 1000), round(times[-1] * 1000)
    sampled = (last - first) / 1000
    average = sampled / (len(values) - 1)
    to_start, to_end = (first - window.start) / 1000, (window.end - last) / 1000
    if to_start >= average * _CLOSE_ENOUGH:
        to_start = average / 2
    if gained is not None and gained > 0 and values[0] >= 0:
        # A counter is never negative: where the line through its samples would be zero, there it began.
        to_start = min(to_start, sampled * (values[0] / gained))
    if to_end >= average * _CLOSE_ENOUGH:
        to_end = average / 2
    return (sampled + to_start + to_end) / sampled


def _never_falls(values: list[float]) -> bool:
    # In C, and linear for what is sorted already, which a counter nearly always is.
    return math.isfinite(sum(values)) and sorted(values) == values


def irate(times: Sequence[float], values: list[float], _window: Window) -> float | None:
    """A counter's increase a second between its last two samples."""
    if len(values) < 2:
        return None
    gained = values[-1] if values[-1] < values[-2] else values[-1] - values[-2]
    return gained / ((round(times[-1] * 1000) - round(times[-2] * 1000)) / 1000)


def idelta(values: list[float]) -> float | None:
    """A gauge's change between its last two samples."""
    return values[-1] - values[-2] if len(values) > 1 else None


def resets(values: list[float]) -> float:
    """How often the value fell."""
    return float(sum(after < before for before, after in pairwise(values)))


def changes(values: list[float]) -> float:
    """How often the value changed; from NaN to NaN is no change."""
    return float(sum(a != b and not (math.isnan(a) and math.isnan(b)) for a, b in pairwise(values)))


def deriv(times: Sequence[float], values: list[float], _window: Window) -> float | None:
    """The slope of the line through the samples, a second."""
    if len(values) < 2:
        return None
    return _line(times, values, round(times[0] * 1000))[0]


def predict_linear(times: Sequence[float], values: list[float], window: Window, seconds: float) -> float | None:
    """Where the line through the samples will be, counted from the evaluation and not from the range's end."""
    if len(values) < 2:
        return None
    slope, intercept = _line(times, values, window.at)
    return slope * seconds + intercept


def _line(times: Sequence[float], values: list[float], origin: int) -> tuple[float, float]:
    if all(value == values[0] for value in values[1:]):
        return (NAN, NAN) if math.isinf(values[0]) else (0.0, values[0])
    sum_x = sum_y = sum_xy = sum_x2 = lost_x = lost_y = lost_xy = lost_x2 = 0.0
    for time, y in zip(times, values, strict=True):
        x = (round(time * 1000) - origin) / 1e3
        sum_x, lost_x = add_compensated(x, sum_x, lost_x)
        sum_y, lost_y = add_compensated(y, sum_y, lost_y)
        sum_xy, lost_xy = add_compensated(x * y, sum_xy, lost_xy)
        sum_x2, lost_x2 = add_compensated(x * x, sum_x2, lost_x2)
    count = len(values)
    sum_x, sum_y, sum_xy, sum_x2 = sum_x + lost_x, sum_y + lost_y, sum_xy + lost_xy, sum_x2 + lost_x2
    slope = divide(sum_xy - sum_x * sum_y / count, sum_x2 - sum_x * sum_x / count)
    return slope, sum_y / count - slope * sum_x / count
