"""What the `..._over_time` functions make of the samples of one series within a range."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from libraries_io_mcp.alerting.promql.arithmetic import add_compensated, mean_of, quantile_of, total_of
from libraries_io_mcp.alerting.promql.model import Window
from libraries_io_mcp.alerting.promql.rates import (
    changes,
    delta,
    deriv,
    idelta,
    increase,
    irate,
    predict_linear,
    rate,
    resets,
)


def smallest(values: Sequence[float]) -> float:
    """The least number; NaN only when there is no number."""
    return min(values) if math.isfinite(sum(values)) else _among_numbers(min, values)


def greatest(values: Sequence[float]) -> float:
    """The greatest number; NaN only when there is no number."""
    return max(values) if math.isfinite(sum(values)) else _among_numbers(max, values)


def _among_numbers(choose: Callable[[list[float]], float], values: Sequence[float]) -> float:
    numbers = [value for value in values if not math.isnan(value)]
    return choose(numbers) if numbers else math.nan


def _variance(values: Sequence[float]) -> float:
    mean = lost_mean = total = lost_total = 0.0
    for count, value in enumerate(values, 1):
        distance = value - (mean + lost_mean)
        mean, lost_mean = add_compensated(distance / count, mean, lost_mean)
        total, lost_total = add_compensated(distance * (value - (mean + lost_mean)), total, lost_total)
    return (total + lost_total) / len(values)


def _deviation(values: Sequence[float]) -> float:
    variance = _variance(values)
    return math.sqrt(variance) if variance >= 0 else math.nan


OF_VALUES: Final[dict[str, Callable[[list[float]], float | None]]] = {
    "idelta": idelta,
    "resets": resets,
    "changes": changes,
    "avg_over_time": mean_of,
    "min_over_time": smallest,
    "max_over_time": greatest,
    "sum_over_time": total_of,
    "count_over_time": lambda values: float(len(values)),
    "first_over_time": lambda values: values[0],
    "last_over_time": lambda values: values[-1],
    "stddev_over_time": _deviation,
    "stdvar_over_time": _variance,
    "present_over_time": lambda _values: 1.0,
}
"""Functions of the values alone: at least one, without stale markers."""

OF_SAMPLES: Final[dict[str, Callable[[Sequence[float], list[float], Window], float | None]]] = {
    "rate": rate,
    "increase": increase,
    "delta": delta,
    "irate": irate,
    "deriv": deriv,
}
"""Functions of times (seconds), values and the window."""

WITH_ARGUMENT: Final[dict[str, Callable[[Sequence[float], list[float], Window, float], float | None]]] = {
    "predict_linear": predict_linear,
    "quantile_over_time": lambda _times, values, _window, share: quantile_of(share, values),
}
"""Functions that take a scalar beside the range."""
