"""What an exporter says when the other side does not take something: its result tells no more than that it failed."""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from libraries_io_mcp.telemetry.reasons import reason

_EXPORTERS: Final = "opentelemetry"
_DETAILS: Final = (r"[Ee]rror details: (.+)", r"Transient error (.+) encountered", r"batch (code: .+)")
"""The part of a complaint that is about the other side: gRPC's, a repeatable one of HTTP, a final one of HTTP."""


class Complaints(logging.Handler):
    """Keeps the first thing that the exporter of this thread complains of: what comes later is its trying again."""

    def __init__(self, on_first: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self._on_first = on_first
        self.first: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        if threading.get_ident() != self._thread or self.first is not None:
            return
        given = record.args if isinstance(record.args, tuple) else ()
        error = next((each for each in given if isinstance(each, BaseException)), None)
        self.first = reason(error) if error is not None else _short(record.getMessage())
        self._on_first(self.first)


@contextmanager
def complaints(on_first: Callable[[str], None] = lambda _words: None) -> Iterator[Complaints]:
    """Listen to the exporter that is used inside, in this thread. Safe in several threads at once."""
    heard = Complaints(on_first)
    logger = logging.getLogger(_EXPORTERS)
    logger.addHandler(heard)
    try:
        yield heard
    finally:
        logger.removeHandler(heard)


def _short(words: str) -> str:
    """What the exporter says of the other side, without what it says of itself."""
    found = (re.search(pattern, words) for pattern in _DETAILS)
    return next((match[1] for match in found if match), words)
