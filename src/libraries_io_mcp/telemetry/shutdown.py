"""Ends many things at the same time under one deadline, and says which of them were not done by then."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

PREPARED_SECONDS: Final = 0.4
"""What a way that was still importing its exporter has from then on."""
LONGEST_SECONDS: Final = 4.0
"""No way is waited for any longer, whatever it is doing, or the given time where that is longer."""
PAUSE_SECONDS: Final = 0.005

End = tuple[str, Callable[[], object]]
"""What is ended, in words, and how. It may block."""


def finish_within(
    seconds: float, ends: Sequence[End], *, preparing: Callable[[], bool] = lambda: False
) -> tuple[str, ...]:
    """Call all at the same time in daemon threads, wait at most `seconds`, return the names of those still running.

    The seconds are counted in turns of a few milliseconds: on a machine so busy that a turn takes longer, the threads
    have not had their time either, and what they were about to send would be lost.

    While `preparing` says that something is only about to begin, the wait is prolonged: a server that lived for a
    moment has not imported its exporters yet, and what it has to say would be lost although somebody listens.
    """
    threads = [threading.Thread(target=end, name=name, daemon=True) for name, end in ends]
    for thread in threads:
        thread.start()
    turns, last_moment = seconds / PAUSE_SECONDS, time.monotonic() + max(seconds, LONGEST_SECONDS)
    while (running := [thread for thread in threads if thread.is_alive()]) and time.monotonic() < last_moment:
        if turns <= 0:
            break
        running[0].join(PAUSE_SECONDS)
        turns -= 1
        if preparing():
            turns = max(turns, PREPARED_SECONDS / PAUSE_SECONDS)
    return tuple(thread.name for thread in threads if thread.is_alive())
