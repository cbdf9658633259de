"""Waiting for something outside this process: asks again and again, and says what it waited for."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")
HANG_SECONDS: Final = 120.0
"""After this long something hangs. No test is about a shorter time."""
PAUSE_SECONDS: Final = 0.01
LONGEST_PAUSE_SECONDS: Final = 0.05
"""Whoever waits long leaves the machine to what is waited for."""


def poll_until(condition: Callable[[], T | None], description: str, timeout: float = HANG_SECONDS) -> T:
    """What `condition` returns as soon as that is true.

    Raises:
        AssertionError: it stayed false for `timeout` seconds.
    """
    end, pause = time.monotonic() + timeout, PAUSE_SECONDS
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout:g} s for {description}")
        time.sleep(pause)
        pause = min(1.1 * pause, LONGEST_PAUSE_SECONDS)
    return found
