"""Rates: extrapolation to the edges, counter resets, and the functions beside them."""

import pytest
from tests.support.promql_series import ask, load


@pytest.mark.parametrize(
    ("values", "time", "text", "value"),
    [
        # 0 and 60 are in the minute after 0 only in part: (0, 60] holds 15, 30, 45, 60, that is 3/4 of the range,
        # which is extrapolated to its start (less than 1.1 distances away) but not below zero.
        ("0 10 20 30 40", 60.0, "increase(c[1m])", 40.0),
        ("0 10 20 30 40", 60.0, "rate(c[1m])", 40.0 / 60),
        # A counter that starts within the range: half a distance is added, or as far as the line's zero.
        ("_ _ _ 100 110", 60.0, "increase(c[1m])", 15.0),
        ("_ _ _ 3 13", 60.0, "increase(c[1m])", 13.0),
        # The end is too far from the last sample: half a distance is added there.
        ("100 110 120 _ _", 60.0, "increase(c[2m])", 30.0),
        # Falls are resets: what was lost counts.
        ("10 20 5 15", 45.0, "increase(c[46s])", (5 + 20) * (45 + 1) / 45),
        ("10 20 5 15", 45.0, "resets(c[1m])", 1.0),
        ("10 20 5 15", 45.0, "delta(c[46s])", 5 * 46 / 45),
        ("10 20 5 15", 30.0, "irate(c[1m])", 5 / 15),
        ("10 20 5 15", 45.0, "irate(c[1m])", 10 / 15),
        ("10 20 5 15", 30.0, "idelta(c[1m])", -15.0),
        ("1 1 2 NaN NaN 1", 75.0, "changes(c[2m])", 3.0),
        ("5 5 5", 30.0, "deriv(c[1m])", 0.0),
        ("0 15 30 45", 45.0, "deriv(c[1m])", 1.0),
        ("0 15 30 45", 60.0, "predict_linear(c[2m], 60)", 120.0),
        ("0 15 30 45", 60.0, "predict_linear(c[1m] offset 15s, 60)", 120.0),
    ],
)
def test_one_series(values: str, time: float, text: str, value: float) -> None:
    """Worked out by hand."""
    assert ask(load(15, {"c": values}), text, time) == {"{}": pytest.approx(value, rel=1e-12)}


@pytest.mark.parametrize("function", ["rate", "increase", "delta", "irate", "idelta", "deriv"])
def test_one_sample_is_not_enough(function: str) -> None:
    """The series is left out; it is not zero."""
    assert ask(load(15, {"c": "_ 1"}), f"{function}(c[5m])", 15.0) == {}


def test_names_are_dropped_and_must_not_collide() -> None:
    """As Prometheus: the rate of a counter is no counter."""
    storage = load(15, {'a{x="1"}': "0 1", 'a{x="2"}': "0 2"})
    assert set(ask(storage, "rate(a[1m])", 15.0) or ()) == {'{x="1"}', '{x="2"}'}
