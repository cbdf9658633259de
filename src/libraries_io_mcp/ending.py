"""The end of the process: all of it stays within one time, counted from its reason, whatever hangs meanwhile."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from libraries_io_mcp.telemetry.observe import Observer

DRAIN_SECONDS: Final = 0.4
"""How long requests in flight may still take; without any, nothing is waited for."""
CLOSE_SECONDS: Final = 0.1
"""How long connections may take to close: those of clients, and then those to Libraries.io."""
SECONDS: Final = 0.7
"""The whole end, but for what the system needs to clear a process away."""
REFUSING_SECONDS: Final = 3.0
"""How long refusals to a client on stdio may take to get out, as long as it reads them."""
LEAST_SECONDS: Final = 0.4
"""What is left for telemetry in any case."""


class Ending:
    """How one server ends.

    Args:
        leave: told of the reason; from then on a proxy can see that the server ends.
        finish: flushes what is to be flushed, in at most so many seconds.
    """

    def __init__(
        self,
        observer: Observer,
        *,
        leave: Callable[[], None],
        finish: Callable[[float], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.leave = leave
        self._observer = observer
        self._finish = finish
        self._monotonic = monotonic
        self._latest: float | None = None

    @contextmanager
    def draining(self) -> Iterator[None]:
        """The first part: requests in flight are answered or refused. The time of the end begins here."""
        self._latest = self._monotonic() + SECONDS
        with self._observer.operation("shutdown.drain"):
            yield

    def end(self, code: int) -> NoReturn:
        """Flush and end the process with its exit code."""
        left = SECONDS if self._latest is None else self._latest - self._monotonic()
        self._finish(max(left, LEAST_SECONDS))
        # The interpreter's own end takes the imported libraries apart, which costs 0.6 s of an idle machine and seconds
        # of a busy one; and a thread that hangs in a dead connection or a full pipe would hold it up for good.
        os._exit(code)


def second_signal_kills() -> None:
    """From now on SIGINT and SIGTERM end the process at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
