"""Functions of the date: seconds since 1970 to a field of the UTC calendar, for any year."""

import math
from collections.abc import Callable
from typing import Final

_DAY: Final = 86_400
_LEAST_INT64: Final = -(2**63)
_FIRST_SECOND: Final = -9_223_372_028_715_321_600
"""Where Go's calendar begins, in the year -292,277,022,399; a time before it wraps round to the far future."""
_ERA_DAYS: Final = 146_097


def _seconds(value: float) -> int:
    # NaN, infinities and what is beyond 64 bits become the least integer, as Go makes of them on amd64.
    if not math.isfinite(value) or abs(value) >= 2.0**63:
        value = _LEAST_INT64
    seconds = math.trunc(value)
    return seconds + 2**64 if seconds < _FIRST_SECOND else seconds


def _date(value: float) -> tuple[int, int, int]:
    # Days are counted from 1 March of the year 0, so that the leap day is a year's last.
    era, day = divmod(_seconds(value) // _DAY + 719_468, _ERA_DAYS)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    rest = day - (365 * year + year // 4 - year // 100)
    month = (5 * rest + 2) // 153
    late = month >= 10
    return era * 400 + year + late, month - 9 if late else month + 3, rest - (153 * month + 2) // 5 + 1


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_in_month(value: float) -> float:
    year, month, _ = _date(value)
    if month == 2:
        return 29.0 if _leap(year) else 28.0
    return 30.0 if month in (4, 6, 9, 11) else 31.0


def _day_of_year(value: float) -> float:
    year, month, day = _date(value)
    before = sum((31, 29 if _leap(year) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[: month - 1])
    return float(before + day)


DATE: Final[dict[str, Callable[[float], float]]] = {
    "minute": lambda value: float(_seconds(value) // 60 % 60),
    "hour": lambda value: float(_seconds(value) // 3600 % 24),
    "day_of_week": lambda value: float((_seconds(value) // _DAY + 4) % 7),
    "day_of_month": lambda value: float(_date(value)[2]),
    "day_of_year": _day_of_year,
    "days_in_month": _days_in_month,
    "month": lambda value: float(_date(value)[1]),
    "year": lambda value: float(_date(value)[0]),
}
