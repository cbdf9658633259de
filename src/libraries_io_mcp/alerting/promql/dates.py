"""Functions of the date: seconds since 1970 to a field of the UTC calendar."""

import math
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _field(read: Callable[[datetime], int]) -> Callable[[float], float]:
    def compute(seconds: float) -> float:
        # What Prometheus gives for NaN and infinities depends on its processor, so there is nothing to match;
        # a year beyond 1..9999 is no date of a sample.
        try:
            return float(read(_EPOCH + timedelta(seconds=math.trunc(seconds))))
        except (ValueError, OverflowError):
            return math.nan

    return compute


def _days_in_month(date: datetime) -> int:
    return monthrange(date.year, date.month)[1]


DATE: Final[dict[str, Callable[[float], float]]] = {
    "minute": _field(lambda date: date.minute),
    "hour": _field(lambda date: date.hour),
    "day_of_week": _field(lambda date: date.isoweekday() % 7),
    "day_of_month": _field(lambda date: date.day),
    "day_of_year": _field(lambda date: date.timetuple().tm_yday),
    "days_in_month": _field(_days_in_month),
    "month": _field(lambda date: date.month),
    "year": _field(lambda date: date.year),
}
