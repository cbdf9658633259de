"""Quantiles of classic histograms, and what Prometheus does at their edges."""

import math

import pytest
from tests.support.promql_series import ask, load

INF = math.inf


def buckets(counts: dict[str, float], labels: str = "") -> dict[str, str]:
    """Series of one histogram."""
    return {f'h_bucket{{{labels}le="{bound}"}}': str(count) for bound, count in counts.items()}


@pytest.mark.parametrize(
    ("share", "counts", "value"),
    [
        ("0.5", {"1": 0, "2": 10, "+Inf": 10}, 1.5),
        ("0.5", {"1": 5, "2": 10, "+Inf": 10}, 1.0),
        ("0.25", {"1": 10, "+Inf": 10}, 0.25),
        ("0.9", {"1": 5, "2": 6, "+Inf": 10}, 2.0),  # in the highest bucket: the bound below it
        ("0.1", {"-1": 5, "0": 8, "+Inf": 10}, -1.0),  # in a lowest bucket that ends below zero: its bound
        ("0", {"1": 5, "2": 10, "+Inf": 10}, 0.0),
        ("1", {"1": 5, "2": 10, "+Inf": 10}, 2.0),
        ("-0.1", {"1": 5, "+Inf": 10}, -INF),
        ("1.1", {"1": 5, "+Inf": 10}, INF),
        ("NaN", {"1": 5, "+Inf": 10}, math.nan),
        ("0.5", {"1": 5, "2": 10}, math.nan),  # no bucket for everything
        ("0.5", {"+Inf": 10}, math.nan),  # none beside it
        ("0.5", {"1": 0, "+Inf": 0}, math.nan),  # no observation
        ("0.5", {"1": 8, "2": 4, "4": 10, "+Inf": 10}, 0.625),  # a fall is evened out
        ("0.5", {"1": 2, "1.0": 3, "2": 10, "+Inf": 10}, 1.0),  # one bound in two spellings: added up
        ("0.5", {"1": 5, "2": 10, "word": 99, "+Inf": 10}, 1.0),  # no bound: left out
        ("0.5", {"1": 5, "2": 10, "Inf": 10}, 1.0),
    ],
)
def test_quantile(share: str, counts: dict[str, float], value: float) -> None:
    """One histogram."""
    found = ask(load(15, buckets(counts)), f"histogram_quantile({share}, h_bucket)", 0.0)
    assert found == {"{}": pytest.approx(value, nan_ok=True)}


def test_one_quantile_for_each_set_of_labels() -> None:
    """All labels but `le`."""
    series = buckets({"1": 10, "+Inf": 10}, 'job="a", ') | buckets({"2": 10, "+Inf": 10}, 'job="b", ')
    found = ask(load(15, series), "histogram_quantile(0.5, sum by (job, le) (h_bucket))", 0.0)
    assert found == {'{job="a"}': 0.5, '{job="b"}': 1.0}


def test_what_is_no_histogram() -> None:
    """Gives nothing."""
    assert ask(load(15, {"m": "1"}), "histogram_quantile(0.5, m)", 0.0) == {}
