import math
import random

import pytest

from libraries_io_mcp.librariesio.service_clock import ServiceClock

EDGE = 1_800_000_000


def test_windows_follow_our_clock_until_something_is_known():
    clock = ServiceClock(60)
    assert clock.current_window(EDGE + 30) == EDGE // 60
    assert clock.seconds_until_next(EDGE + 30) == pytest.approx(30.1)


def test_near_an_edge_the_window_is_not_known():
    clock = ServiceClock(60)
    assert clock.current_window(EDGE + 59.95) is None
    assert clock.current_window(EDGE + 60.05) is None
    assert clock.current_window(EDGE + 60.11) == EDGE // 60 + 1


@pytest.mark.parametrize("distance", [-29.0, -7.3, -0.4, 0.0, 0.9, 12.0, 28.0])
def test_it_never_takes_the_last_window_for_the_next(distance):
    clock, random_source = ServiceClock(60), random.Random(1)  # noqa: S311 - no secret
    ours = EDGE + 5.0
    for _ in range(200):
        processed = ours + random_source.uniform(0, 0.5)
        received = processed + random_source.uniform(0, 0.5)
        reset = 60 - math.floor(processed + distance) % 60
        clock.learn(reset, sent=ours, received=received)
        ours = received + random_source.uniform(0, 40)
        index = clock.current_window(ours)
        assert index in {None, math.floor((ours + distance) / 60)}
    assert clock.seconds_until_next(EDGE - distance) < 62


def test_a_clock_that_was_set_is_learned_anew():
    clock = ServiceClock(60)
    clock.learn(30, sent=EDGE + 30, received=EDGE + 30.1)
    clock.learn(30, sent=EDGE + 40, received=EDGE + 40.1)
    assert clock.current_window(EDGE + 65) == EDGE // 60
    assert clock.current_window(EDGE + 71) == EDGE // 60 + 1


@pytest.mark.parametrize("reset", [0, -1, 61, 3600])
def test_impossible_values_are_ignored(reset):
    clock = ServiceClock(60)
    clock.learn(reset, sent=EDGE + 1, received=EDGE + 1)
    assert clock.seconds_until_next(EDGE + 30) == pytest.approx(30.1)
