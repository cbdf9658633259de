"""The interpreter as a server wants it: few collections of garbage, and threads that give way.

docs/decisions/performance.md has what each of these is worth.
"""

import gc
import os
import sys
from typing import Final

YOUNG_OBJECTS: Final = 10_000
"""So many new containers are looked through together. Python's 700 are fewer than 50 calls in flight hold: they are
found alive, and soon the whole heap is looked through. With 50,000 one look takes tens of milliseconds."""
SWITCH_SECONDS: Final = 0.001
"""A thread that encodes telemetry hands the interpreter over after this, not after 5 ms, to a request that waits."""

PARENT: Final = os.getppid()
"""Who has started this process. It may end while the server is loading."""


def loading() -> None:
    """Until `serving` nothing is collected: almost all that is made now stays."""
    gc.disable()


def serving() -> None:
    """What is loaded and built by now stays until the end, so it is never looked through again."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
    gc.enable()
    sys.setswitchinterval(SWITCH_SECONDS)
