"""Many ends at the same time, one deadline, and the names of what was not done."""

import threading
from collections.abc import Iterator

import pytest
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.telemetry.shutdown import finish_within


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """An event that is set when the test is over, so that no thread stays."""
    event = threading.Event()
    yield event
    event.set()


def test_all_end_at_the_same_time():
    """Each waits for the other one: one after the other they would hang."""
    first, second = threading.Event(), threading.Event()

    def one() -> None:
        first.set()
        second.wait(HANG_SECONDS)

    def other() -> None:
        second.set()
        first.wait(HANG_SECONDS)

    assert finish_within(HANG_SECONDS, [("one", one), ("other", other)]) == ()


def test_what_hangs_is_named(hanging: threading.Event):
    ends = [("spans", hanging.wait), ("metrics", lambda: None), ("log records", hanging.wait)]
    assert finish_within(0.01, ends) == ("spans", "log records")


def test_what_hangs_does_not_hold_the_process(hanging: threading.Event):
    finish_within(0.01, [("hanging-end", hanging.wait)])
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "hanging-end"]
    assert thread.daemon


def test_what_is_only_about_to_begin_is_waited_for(hanging: threading.Event):
    """The deadline alone would be over at once."""
    asked: list[int] = []

    def preparing() -> bool:
        asked.append(1)
        if len(asked) == 20:
            hanging.set()
        return len(asked) < 20

    assert finish_within(0.001, [("spans", hanging.wait)], preparing=preparing) == ()


def test_nothing_to_end():
    assert finish_within(0.0, []) == ()
