"""Selectors and subqueries: left-open windows, five minutes of look-back, stale markers."""

import pytest
from tests.support.promql_series import ask, load

from libraries_io_mcp.alerting.promql import STALE, is_stale

ENDED = load(15, {"up": "1 2 3 stale"})


@pytest.mark.parametrize(
    ("time", "found"),
    [
        (-0.001, {}),
        (0.0, {"up": 1.0}),
        (14.999, {"up": 1.0}),
        (15.0, {"up": 2.0}),
        (44.999, {"up": 3.0}),
        (45.0, {}),
        (60.0, {}),
    ],
)
def test_the_newest_sample_counts_until_a_stale_marker(time: float, found: dict[str, float]) -> None:
    """From its own millisecond to the one before the next."""
    assert ask(ENDED, "up", time) == found


def test_a_sample_counts_for_five_minutes_less_a_millisecond() -> None:
    """Without a stale marker; at exactly five minutes it is gone, as the window is open on the left."""
    storage = load(15, {"up": "1"}, start=1_700_000_000.005)
    assert ask(storage, "up", 1_700_000_300.004) == {"up": 1.0}
    assert ask(storage, "up", 1_700_000_300.005) == {}


def test_a_range_leaves_out_its_own_start() -> None:
    """A sample exactly one range ago belongs to the range before."""
    storage = load(15, {"up": "1 1 1 1 1"}, start=1_700_000_000.123)
    assert ask(storage, "count_over_time(up[1m])", 1_700_000_060.123) == {"{}": 4.0}
    assert ask(storage, "count_over_time(up[1m])", 1_700_000_060.122) == {"{}": 4.0}
    assert ask(storage, "count_over_time(up[1m1ms])", 1_700_000_060.123) == {"{}": 5.0}


def test_ranges_skip_stale_markers_and_not_nan() -> None:
    """The marker is no sample; an ordinary NaN is one."""
    storage = load(15, {'up{a="1"}': "1 stale 1 1", 'up{a="2"}': "NaN NaN stale _", 'up{a="3"}': "stale _ _ _"})
    assert ask(storage, "count_over_time(up[5m])", 45.0) == {'{a="1"}': 3.0, '{a="2"}': 2.0}


def test_offsets_move_the_window() -> None:
    """Into the past, or into the future."""
    storage = load(15, {"up": "1 2 3 4"})
    assert ask(storage, "up offset 30s", 45.0) == {"up": 2.0}
    assert ask(storage, "up offset -30s", 0.0) == {"up": 3.0}


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ('m{a="1"}', {"1"}),
        ('m{a!="1"}', {"2", "3", ""}),
        ('m{a=""}', {""}),
        ('m{a!=""}', {"1", "2", "3"}),
        ('m{a=~"1|2"}', {"1", "2"}),
        ('m{a=~"1"}', {"1"}),
        ('m{a!~"[12]"}', {"3", ""}),
        ('m{a=~".*"}', {"1", "2", "3", ""}),
        ('{__name__=~"m|n",a="3"}', {"3"}),
    ],
)
def test_matchers(selector: str, found: set[str]) -> None:
    """A label that is not there is empty; a regular expression matches the whole value."""
    storage = load(15, {'m{a="1"}': "1", 'm{a="2"}': "1", 'm{a="3"}': "1", "m": "1", "other": "1"})
    assert ask(storage, selector, 0.0) == {f'm{{a="{each}"}}' if each else "m": 1.0 for each in found}


def test_a_subquery_is_aligned_to_multiples_of_its_step() -> None:
    """To 1970 and not to the evaluation; its window, too, is open on the left."""
    storage = load(1, {"up": " ".join(str(each) for each in range(200))})
    assert ask(storage, "sum_over_time(up[30s:10s])", 105.0) == {"{}": 80.0 + 90.0 + 100.0}
    assert ask(storage, "sum_over_time(up[30s:10s])", 100.0) == {"{}": 80.0 + 90.0 + 100.0}
    assert ask(storage, "sum_over_time(up[30s:10s] offset 5s)", 105.0) == {"{}": 80.0 + 90.0 + 100.0}
    assert ask(storage, "last_over_time(up[10s:3s])", 10.0) == {"up": 9.0}


def test_the_query_time_inside_a_subquery() -> None:
    """`@ end()` is the time of the whole query, not of the subquery's step."""
    storage = load(1, {"up": "0 1 2 3 4 5 6 7 8 9 10"})
    assert ask(storage, "sum_over_time((up - up @ end())[3s:1s])", 10.0) == {"{}": -3.0}


def test_the_stale_marker_is_a_nan_of_its_own() -> None:
    """Told from others by its bits."""
    assert is_stale(STALE)
    assert not is_stale(float("nan"))
    assert not is_stale(1.0)
