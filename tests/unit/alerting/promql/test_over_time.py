"""Values of one series over a range."""

import math

import pytest
from tests.support.promql_series import ask, load


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("avg_over_time(m[5m])", 2.5),
        ("min_over_time(m[5m])", 1.0),
        ("max_over_time(m[5m])", 4.0),
        ("sum_over_time(m[5m])", 10.0),
        ("count_over_time(m[5m])", 4.0),
        ("stdvar_over_time(m[5m])", 1.25),
        ("stddev_over_time(m[5m])", math.sqrt(1.25)),
        ("present_over_time(m[5m])", 1.0),
        ("quantile_over_time(0.5, m[5m])", 2.5),
        ("quantile_over_time(1, m[5m])", 4.0),
        ("quantile_over_time(2, m[5m])", math.inf),
        ("quantile_over_time(-1, m[5m])", -math.inf),
    ],
)
def test_four_values(text: str, value: float) -> None:
    """1, 4, 2, 3; the name is dropped."""
    assert ask(load(15, {"m": "1 4 2 3"}), text, 45.0) == {"{}": pytest.approx(value)}


def test_the_first_and_the_last_one_keep_their_name() -> None:
    """It is the metric itself, only longer visible."""
    storage = load(15, {"m": "1 4 stale"})
    assert ask(storage, "last_over_time(m[5m])", 60.0) == {"m": 4.0}
    assert ask(storage, "first_over_time(m[5m])", 60.0) == {"m": 1.0}


def test_nan_is_no_extreme_unless_alone() -> None:
    """The least and greatest are of the numbers."""
    storage = load(15, {'m{a="1"}': "NaN 2 1", 'm{a="2"}': "NaN NaN NaN", 'm{a="3"}': "-Inf NaN Inf"})
    least, greatest = (ask(storage, f"{name}_over_time(m[5m])", 30.0) for name in ("min", "max"))
    assert least == {'{a="1"}': 1.0, '{a="2"}': pytest.approx(math.nan, nan_ok=True), '{a="3"}': -math.inf}
    assert greatest == {'{a="1"}': 2.0, '{a="2"}': pytest.approx(math.nan, nan_ok=True), '{a="3"}': math.inf}


def test_absent_over_time() -> None:
    """Nothing in the whole range, with the labels that were asked for."""
    storage = load(15, {"m": "1 stale"})
    assert ask(storage, 'absent_over_time(m{a="b"}[5m])', 15.0) == {'{a="b"}': 1.0}
    assert ask(storage, "absent_over_time(m[5m])", 15.0) == {}
    assert ask(storage, "absent_over_time(m[5m])", 300.0) == {"{}": 1.0}


def test_sums_are_compensated() -> None:
    """Small numbers beside great ones are not lost."""
    storage = load(15, {"m": "1e100 1 -1e100 1"})
    assert ask(storage, "sum_over_time(m[5m])", 45.0) == {"{}": 2.0}
    assert ask(storage, "avg_over_time(m[5m])", 45.0) == {"{}": 0.5}


def test_a_mean_does_not_overflow() -> None:
    """The sum would."""
    assert ask(load(15, {"m": "1e308 1.7e308 1e308"}), "avg_over_time(m[5m])", 30.0) == {
        "{}": pytest.approx(1.2333333333333333e308)
    }
