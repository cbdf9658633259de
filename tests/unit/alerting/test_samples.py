"""The samples in memory: what is kept, what is dropped, what it weighs."""

import gc
import threading
import tracemalloc
from collections.abc import Iterator

import pytest
from tests.support.own_process import in_own_process

from libraries_io_mcp.alerting.promql import Matcher, is_stale, parse
from libraries_io_mcp.alerting.samples import SampleStore, bytes_bound

UP = (Matcher("__name__", "=", "up"),)


def up(job: str) -> dict[str, str]:
    """Labels of a series."""
    return {"__name__": "up", "job": job}


def filled(store: SampleStore, times: Iterator[float] | range, *jobs: str) -> SampleStore:
    """With the series of these jobs at each time; the value is the time."""
    for time in times:
        store.append(time, [(up(job), float(time)) for job in jobs])
    return store


def test_samples_of_a_window() -> None:
    """Open on the left, closed on the right."""
    store = filled(SampleStore(3600, 10), range(0, 60, 15), "a", "b")
    found = store.select((*UP, Matcher("job", "=", "b")), 0.0, 30.0)
    assert [(dict(each.labels), list(each.times), list(each.values)) for each in found] == [
        (up("b"), [15.0, 30.0], [15.0, 30.0])
    ]


def test_a_series_that_is_missing_ends() -> None:
    """One stale marker, at the time of the collection that had it no more."""
    store = filled(SampleStore(3600, 10), range(0, 30, 15), "a", "b")
    filled(store, range(30, 75, 15), "a")
    (ended,) = store.select((*UP, Matcher("job", "!=", "a")), -1.0, 100.0)
    assert list(ended.times) == [0.0, 15.0, 30.0]
    assert [is_stale(each) for each in ended.values] == [False, False, True]
    found = parse("up").at(store, 31.0)
    assert isinstance(found, list)
    assert [each.labels["job"] for each in found] == ["a"]


def test_a_series_comes_back() -> None:
    """After its stale marker."""
    store = filled(filled(filled(SampleStore(3600, 10), range(1), "a"), range(15, 16)), range(30, 31), "a")
    assert parse("count_over_time(up[1m])").at(store, 30.0) == parse('label_replace(vector(2), "job", "a", "", "")').at(
        store, 30.0
    )


def test_old_samples_and_series_are_forgotten() -> None:
    """With some slack for samples; a series goes with its last one."""
    store = filled(SampleStore(300, 10), range(0, 15), "old")
    filled(store, range(15, 15_000, 15), "new")
    assert store.series == 1
    assert 20 <= store.samples <= 30


def test_one_series_too_many_is_refused_and_counted() -> None:
    """The ones that are there go on."""
    store = filled(SampleStore(3600, 2), range(0, 30, 15), "a", "b", "c", "d")
    assert (store.series, store.refused) == (2, 2)
    filled(store, range(30, 45, 15), "a", "b")
    assert (store.series, store.refused) == (2, 0)


def test_only_what_is_needed_is_kept() -> None:
    """Each metric for its own time."""
    store = SampleStore(3600, 10, {"up": 60.0, "down": 600.0})
    for time in range(0, 1500, 15):
        store.append(time, [({"__name__": name}, 1.0) for name in ("up", "down", "other")])
    assert store.series == 2
    kept = {each.labels["__name__"]: len(each.values) for each in store.select((), 0.0, 2000.0)}
    assert 4 <= kept["up"] < 8
    assert 40 <= kept["down"] < 56


def test_time_only_goes_on() -> None:
    """Samples of the same moment, or of an earlier one, are an error."""
    store = filled(SampleStore(3600, 10), range(1), "a")
    with pytest.raises(ValueError, match="come after"):
        store.append(0.0004, [])


def test_of_a_series_given_twice_the_first_value_counts() -> None:
    """As in Prometheus."""
    store = SampleStore(3600, 10)
    store.append(1.0, [(up("a"), 1.0), (up("a"), 2.0)])
    assert [list(each.values) for each in store.select(UP, 0.0, 1.0)] == [[1.0]]


def test_an_empty_label_is_none() -> None:
    """The same series with and without it."""
    store = SampleStore(3600, 10)
    store.append(1.0, [({"__name__": "up", "zone": ""}, 1.0)])
    store.append(2.0, [({"__name__": "up"}, 2.0)])
    assert [list(each.values) for each in store.select(UP, 0.0, 2.0)] == [[1.0, 2.0]]


def test_memory_stays_under_its_bound() -> None:
    keep, series, interval = 300.0, 40, 15.0
    kept, most = in_own_process(filled_twice_over, keep, series, interval)
    assert kept == series
    assert most < bytes_bound(keep, series, interval)


def filled_twice_over(keep: float, series: int, interval: float) -> tuple[int, int]:
    """Long labels, all of them new each time, until everything was dropped twice over: series kept, most bytes."""
    tracemalloc.start()
    store, most = SampleStore(keep, series), 0
    for time in range(1, 60):
        store.append(time * interval, [(_long(number), float(time)) for number in range(series)])
        if time % 10 == 0:
            gc.collect()
            most = max(most, tracemalloc.get_traced_memory()[0])
    return store.series, most


def _long(number: int) -> dict[str, str]:
    more = {f"a_label_with_a_long_name_{each:02}": f"{number}-{'v' * 57}" for each in range(19)}
    return {"__name__": "a_metric_with_a_long_name"} | more


def test_readers_beside_the_writer() -> None:
    """A select sees whole collections only: two series that are always given the same value never differ."""
    store = filled(SampleStore(30, 10), range(1), "a", "b")
    done, seen, now = threading.Event(), [], [0.0]
    expression = parse("stdvar(up)")

    def read() -> None:
        while not done.is_set():
            seen.append(expression.at(store, now[0]))

    reader = threading.Thread(target=read)
    reader.start()
    for time in range(1, 1000):
        filled(store, range(time, time + 1), "a", "b")
        now[0] = float(time)
    done.set()
    reader.join()
    assert {each.value for found in seen for each in found} <= {0.0}


def test_the_same_selector_after_series_came_and_went() -> None:
    """What it selects is remembered only as long as that is true."""
    store = filled(SampleStore(30, 10), range(1), "a")
    assert len(store.select(UP, -1.0, 100.0)) == 1
    filled(store, range(1, 2), "a", "b")
    assert len(store.select(UP, -1.0, 100.0)) == 2
    filled(store, range(2, 60), "b")
    assert [each.labels["job"] for each in store.select(UP, -1.0, 100.0)] == ["b"]


def test_the_same_labels_as_another_object() -> None:
    """Or as the same one: it is the same series."""
    store, labels = SampleStore(30, 10), up("a")
    for time, given in enumerate((labels, labels, up("a"), dict(labels), labels)):
        store.append(time, [(given, 1.0)])
    assert (store.series, store.samples) == (1, 5)
