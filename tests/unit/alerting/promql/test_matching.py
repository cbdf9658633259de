"""Operators between scalars, vectors and both."""

import math

import pytest
from tests.support.promql_series import ask, load

from libraries_io_mcp.alerting.promql import EvaluationError

STORAGE = load(
    15,
    {
        'failed{job="a", code="4"}': "1",
        'failed{job="a", code="5"}': "2",
        'failed{job="b", code="5"}': "3",
        'all{job="a"}': "10",
        'all{job="b"}': "20",
        'limit{job="a", team="x"}': "5",
        'limit{job="c", team="y"}': "7",
    },
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("all + all", {'{job="a"}': 20.0, '{job="b"}': 40.0}),
        ("all * 2", {'{job="a"}': 20.0, '{job="b"}': 40.0}),
        ("1 - all / 20", {'{job="a"}': 0.5, '{job="b"}': 0.0}),
        ("-all", {'{job="a"}': -10.0, '{job="b"}': -20.0}),
        ("all > 10", {'all{job="b"}': 20.0}),
        ("10 < all", {'all{job="b"}': 20.0}),
        ("all > bool 10", {'{job="a"}': 0.0, '{job="b"}': 1.0}),
        ("all == on (job) limit", {}),
        ("all > on (job) limit", {'{job="a"}': 10.0}),
        ("all > bool on (job) limit", {'{job="a"}': 1.0}),
        ("all - ignoring (team) limit", {'{job="a"}': 5.0}),
        ("failed / on (job) group_left () all", {
            '{code="4", job="a"}': 0.1, '{code="5", job="a"}': 0.2, '{code="5", job="b"}': 0.15,
        }),
        ("all - on (job) group_right () failed", {
            '{code="4", job="a"}': 9.0, '{code="5", job="a"}': 8.0, '{code="5", job="b"}': 17.0,
        }),
        ("failed * on (job) group_left (team) limit", {
            '{code="4", job="a", team="x"}': 5.0, '{code="5", job="a", team="x"}': 10.0,
        }),
        ("failed < on (job) group_left (team) limit", {
            'failed{code="4", job="a", team="x"}': 1.0, 'failed{code="5", job="a", team="x"}': 2.0,
        }),
        ("all and on (job) limit", {'all{job="a"}': 10.0}),
        ("all unless on (job) limit", {'all{job="b"}': 20.0}),
        ("all or on (job) limit", {'all{job="a"}': 10.0, 'all{job="b"}': 20.0, 'limit{job="c", team="y"}': 7.0}),
        ("sum(missing) or vector(0)", {"{}": 0.0}),
        ("all / missing", {}),
        ("all % 3", {'{job="a"}': 1.0, '{job="b"}': 2.0}),
        ("all ^ 2", {'{job="a"}': 100.0, '{job="b"}': 400.0}),
        ("all * on () group_left () sum(missing)", {}),
    ],
)  # fmt: skip
def test_operators(text: str, found: dict[str, float]) -> None:
    """Arithmetic drops the name, a filter does not; `on` keeps its labels only."""
    assert ask(STORAGE, text, 0.0) == {name: pytest.approx(value) for name, value in found.items()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("all + on (job) failed", "many-to-many matching not allowed"),
        ("failed + on (job) all", "many-to-one matching must be explicit"),
        ("failed + on (missing) group_left () all", "many-to-many matching not allowed"),
        ('failed * on (job) group_left (code) all{job="a"}', "grouping labels must ensure unique matches"),
    ],
)
def test_errors(text: str, message: str) -> None:
    """In Prometheus' words."""
    with pytest.raises(EvaluationError, match=message):
        ask(STORAGE, text, 0.0)


def test_two_metrics_without_their_names_are_the_same() -> None:
    """Which is an error, not a choice of one of them."""
    storage = load(15, {'a{x="1"}': "1 2", 'b{x="1"}': "1 3"})
    for text in (
        '{__name__=~"a|b"} + 1',
        'rate({__name__=~"a|b"}[1m])',
        '-{__name__=~"a|b"}',
        'abs({__name__=~"a|b"})',
    ):
        with pytest.raises(EvaluationError, match="vector cannot contain metrics with the same labelset"):
            ask(storage, text, 15.0)
    assert ask(storage, 'last_over_time({__name__=~"a|b"}[1m])', 15.0) == {'a{x="1"}': 2.0, 'b{x="1"}': 3.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("0 / 0", math.nan),
        ("1 / -0", -math.inf),
        ("5 % 0", math.nan),
        ("-5 % 3", -2.0),
        ("2 ^ 0.5", math.sqrt(2)),
        ("(-8) ^ 3", -512.0),
        ("(-8) ^ 0.3", math.nan),
        ("0 ^ -1", math.inf),
        ("10 ^ 400", math.inf),
        ("(-10) ^ 401", -math.inf),
        ("10 ^ -400", 0.0),
        ("NaN ^ 0", 1.0),
        ("(-1) ^ Inf", 1.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("-2 ^ 2", -4.0),
        ("1 == bool 1", 1.0),
        ("NaN == bool NaN", 0.0),
        ("NaN != bool NaN", 1.0),
        ("Inf >= bool Inf", 1.0),
    ],
)
def test_scalars(text: str, value: float) -> None:
    """Nothing raises: divisions by zero and overflows have values."""
    assert ask(STORAGE, text, 0.0) == pytest.approx(value, nan_ok=True)
