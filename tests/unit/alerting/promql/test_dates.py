"""The UTC calendar, leap years and far times."""

import pytest
from tests.support.promql_series import ask, load

NOTHING = load(15, {})


@pytest.mark.parametrize(
    ("seconds", "fields"),
    [
        ("0", (1970, 1, 1, 1, 4, 0, 0, 31)),
        ("1700000000", (2023, 11, 14, 318, 2, 22, 13, 30)),
        ("1709164800", (2024, 2, 29, 60, 4, 0, 0, 29)),  # a leap day
        ("4107542399", (2100, 2, 28, 59, 0, 23, 59, 28)),  # no leap year
        ("-86400", (1969, 12, 31, 365, 3, 0, 0, 31)),
        ("951782400", (2000, 2, 29, 60, 2, 0, 0, 29)),
        ("NaN", (292277026596, 12, 4, 339, 0, 15, 30, 31)),  # what Go makes of no number on amd64
    ],
)
def test_fields(seconds: str, fields: tuple[int, ...]) -> None:
    """Year, month, day, day of the year, weekday from Sunday, hour, minute, days in the month."""
    names = ("year", "month", "day_of_month", "day_of_year", "day_of_week", "hour", "minute", "days_in_month")
    found = [ask(NOTHING, f"{name}(vector({seconds}))", 0.0) for name in names]
    assert found == [{"{}": float(each)} for each in fields]


def test_without_an_argument_it_is_now() -> None:
    """The time of the evaluation."""
    assert ask(NOTHING, "hour()", 1_700_000_000.0) == {"{}": 22.0}
