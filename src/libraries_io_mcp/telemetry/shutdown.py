"""Ends many things at the same time under one deadline, and says which of them were not done by then."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

PREPARED_SECONDS: Final = 0.4
"""What a way that was still importing its exporter has from then on."""
LONGEST_SECONDS: Final = 4.0
"""No way is waited for any longer, whatever it is doing."""
PAUSE_SECONDS: Final = 0.005

End = tuple[str, Callable[[], object]]
"""What is ended, in words, and how. It may block."""


def finish_within(
    seconds: float, ends: Sequence[End], *, preparing: Callable[[], bool] = lambda: False
) -> tuple[str, ...]:
    """Call all at the same time in daemon threads, wait at most `seconds`, return the names of those still running.

    While `preparing` says that something is only about to begin, the wait is prolonged: a server that lived for a
    moment has not imported its exporters yet, and what it has to say would be lost although somebody listens.
    """
    threads = [threading.Thread(target=end, name=name, daemon=True) for name, end in ends]
    for thread in threads:
        thread.start()
    started = time.monotonic()
    last_moment = started + seconds
    while (running := [thread for thread in threads if thread.is_alive()]) and time.monotonic() < last_moment:
        running[0].join(min(PAUSE_SECONDS, max(0.0, last_moment - time.monotonic())))
        if preparing():
            last_moment = min(max(last_moment, time.monotonic() + PREPARED_SECONDS), started + LONGEST_SECONDS)
    return tuple(thread.name for thread in threads if thread.is_alive())
