"""What rules have given at this moment, over what is stored."""

import pytest
from tests.support.promtool_tests import Samples

from libraries_io_mcp.alerting.overlay import Overlay
from libraries_io_mcp.alerting.promql import Matcher


@pytest.fixture
def stored() -> Samples:
    samples = Samples()
    samples.add(10, {"__name__": "a", "on": "x"}, 1)
    samples.add(20, {"__name__": "b"}, 2)
    return samples


def select(overlay: Overlay, name: str, start: float = 0, end: float = 20, *more: Matcher) -> list[tuple]:
    found = overlay.select([Matcher("__name__", "=", name), *more], start, end)
    return [(dict(each.labels), list(each.times), list(each.values)) for each in found]


def test_a_new_series_and_a_new_sample(stored: Samples) -> None:
    overlay = Overlay(stored, 20)
    overlay.add([({"__name__": "a", "on": "x"}, 5.0), ({"__name__": "a", "on": "y"}, 6.0)])
    assert select(overlay, "a") == [
        ({"__name__": "a", "on": "x"}, [10, 20], [1, 5]),
        ({"__name__": "a", "on": "y"}, [20], [6]),
    ]
    assert select(overlay, "a", 0, 20, Matcher("on", "=", "y")) == [({"__name__": "a", "on": "y"}, [20], [6])]


def test_what_was_there_first_stays(stored: Samples) -> None:
    overlay = Overlay(stored, 20)
    overlay.add([({"__name__": "b"}, 7.0), ({"__name__": "c"}, 1.0)])
    overlay.add([({"__name__": "c"}, 2.0)])
    assert select(overlay, "b") == [({"__name__": "b"}, [20], [2])]
    assert overlay.added() == [({"__name__": "b"}, 7.0), ({"__name__": "c"}, 1.0)]


def test_a_range_that_does_not_reach_this_moment(stored: Samples) -> None:
    overlay = Overlay(stored, 20)
    overlay.add([({"__name__": "a", "on": "x"}, 5.0)])
    assert select(overlay, "a", 0, 19) == [({"__name__": "a", "on": "x"}, [10], [1])]
    assert select(overlay, "a", 20, 30) == []


def test_matchers_without_a_name(stored: Samples) -> None:
    overlay = Overlay(stored, 20)
    overlay.add([({"__name__": "c", "on": "x"}, 5.0)])
    found = overlay.select([Matcher("on", "=", "x")], 0, 20)
    assert {each.labels["__name__"] for each in found} == {"a", "c"}
