"""Aggregation by and without labels."""

import math

import pytest
from tests.support.promql_series import ask, load

from libraries_io_mcp.alerting.promql import EvaluationError

STORAGE = load(
    15,
    {
        'm{job="a", code="1"}': "1",
        'm{job="a", code="2"}': "2",
        'm{job="b", code="1"}': "5",
        'm{job="b", code="2"}': "9",
    },
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sum(m)", {"{}": 17.0}),
        ("sum by (job) (m)", {'{job="a"}': 3.0, '{job="b"}': 14.0}),
        ("sum without (code) (m)", {'{job="a"}': 3.0, '{job="b"}': 14.0}),
        ("sum by (__name__) (m)", {"m": 17.0}),
        ("sum by (missing) (m)", {"{}": 17.0}),
        ("avg by (job) (m)", {'{job="a"}': 1.5, '{job="b"}': 7.0}),
        ("min by (code) (m)", {'{code="1"}': 1.0, '{code="2"}': 2.0}),
        ("max by (code) (m)", {'{code="1"}': 5.0, '{code="2"}': 9.0}),
        ("count(m > 1)", {"{}": 3.0}),
        ("group by (job) (m)", {'{job="a"}': 1.0, '{job="b"}': 1.0}),
        ("stdvar by (job) (m)", {'{job="a"}': 0.25, '{job="b"}': 4.0}),
        ("stddev by (job) (m)", {'{job="a"}': 0.5, '{job="b"}': 2.0}),
        ("quantile by (job) (0.5, m)", {'{job="a"}': 1.5, '{job="b"}': 7.0}),
        ("sum(missing)", {}),
        ("topk(1, m)", {'m{code="2", job="b"}': 9.0}),
        ("topk by (job) (1, m)", {'m{code="2", job="a"}': 2.0, 'm{code="2", job="b"}': 9.0}),
        ("bottomk(2, m)", {'m{code="1", job="a"}': 1.0, 'm{code="2", job="a"}': 2.0}),
        ("topk(0, m)", {}),
        ("count(topk(100, m))", {"{}": 4.0}),
        ('count_values("value", m > bool 4)', {'{value="0"}': 2.0, '{value="1"}': 2.0}),
        ('count_values by (job) ("value", m * 0.5)', {
            '{job="a", value="0.5"}': 1.0, '{job="a", value="1"}': 1.0,
            '{job="b", value="2.5"}': 1.0, '{job="b", value="4.5"}': 1.0,
        }),
    ],
)  # fmt: skip
def test_aggregations(text: str, found: dict[str, float]) -> None:
    """Four series of two jobs."""
    assert ask(STORAGE, text, 0.0) == found


@pytest.mark.parametrize(("count", "message"), [("NaN", "Parameter value is NaN"), ("1e300", "overflows int64")])
def test_a_count_that_is_none(count: str, message: str) -> None:
    """As Prometheus says it."""
    with pytest.raises(EvaluationError, match=message):
        ask(STORAGE, f"topk({count}, m)", 0.0)


def test_nan_ranks_last() -> None:
    """At both ends."""
    storage = load(15, {'m{a="1"}': "NaN", 'm{a="2"}': "1", 'm{a="3"}': "2"})
    assert ask(storage, "topk(2, m)", 0.0) == {'m{a="3"}': 2.0, 'm{a="2"}': 1.0}
    assert ask(storage, "bottomk(2, m)", 0.0) == {'m{a="2"}': 1.0, 'm{a="3"}': 2.0}
    assert ask(storage, "count(bottomk(3, m))", 0.0) == {"{}": 3.0}


def test_the_variance_of_what_is_not_finite() -> None:
    """No number."""
    found = ask(load(15, {'m{a="1"}': "Inf", 'm{a="2"}': "1"}), "stdvar(m)", 0.0)
    assert isinstance(found, dict)
    assert math.isnan(found["{}"])
