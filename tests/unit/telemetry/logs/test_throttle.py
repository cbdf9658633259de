"""Repeated warnings: one a minute, with a count; the clock is told."""

import logging

import pytest
from tests.unit.telemetry.logs.records import record

from libraries_io_mcp.telemetry.logs.throttle import MOST_KEYS, THROTTLE_SECONDS, Throttle


class Stage:
    """A throttle and its clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.throttle = Throttle(lambda: self.now)

    def passes(
        self, message: str, *args: object, name: str = "libraries_io_mcp.x", level: int = logging.WARNING, **extra
    ):
        made = record(message, *args, name=name, levelno=level, **extra)
        return made.getMessage() if self.throttle.passes(made) else None


def test_the_same_warning_passes_once_a_minute_and_then_says_how_often_it_came():
    stage = Stage()
    assert stage.passes("disk %s is full", "a") == "disk a is full"
    assert [stage.passes("disk %s is full", "a") for _ in range(5)] == [None] * 5
    assert stage.passes("disk %s is full", "b") == "disk b is full"
    stage.now = THROTTLE_SECONDS - 0.1
    assert stage.passes("disk %s is full", "a") is None
    stage.now = THROTTLE_SECONDS
    assert stage.passes("disk %s is full", "a") == "disk a is full (6 more like this held back)"
    stage.now = 2 * THROTTLE_SECONDS
    assert stage.passes("disk %s is full", "a") == "disk a is full"


@pytest.mark.parametrize("name", ["opentelemetry.exporter", "urllib3.connectionpool", "requests", "grpc"])
def test_exporters_are_held_back_by_template_since_they_word_one_trouble_in_many_ways(name: str):
    stage = Stage()
    assert stage.passes("failed after %.2f s", 1.0, name=name) == "failed after 1.00 s"
    assert stage.passes("failed after %.2f s", 2.0, name=name) is None


def test_what_is_below_a_warning_or_stands_for_an_event_always_passes():
    stage = Stage()
    assert all(stage.passes("hello", level=logging.INFO) for _ in range(3))
    assert all(
        stage.passes("x failed in 1 ms", **{"otel.event.name": "libraries_io.operation.failed"}) for _ in range(3)
    )


def test_at_the_end_it_says_what_was_held_back():
    stage = Stage()
    for message in ("a", "a", "a", "b"):
        stage.passes(message)
    assert [(each.getMessage(), each.levelname) for each in stage.throttle.rest()] == [
        ("a (2 more like this held back)", "WARNING")
    ]
    assert list(stage.throttle.rest()) == []


def test_its_memory_is_bounded():
    stage = Stage()
    for number in range(3 * MOST_KEYS):
        assert stage.passes(f"warning {number}")
    assert len(stage.throttle._seen) <= MOST_KEYS
