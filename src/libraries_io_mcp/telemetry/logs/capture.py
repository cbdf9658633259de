"""What happens in the thread that logs: next to nothing. The record is put aside with the context of the moment.

Rendering, redaction and writing are the business of other threads, which is why a record costs its caller a few
microseconds. What is handed in as `extra` must not be changed afterwards.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from opentelemetry.context import Context, get_current

from libraries_io_mcp.telemetry import request_context
from libraries_io_mcp.telemetry.request_context import RequestContext

QUEUE_SIZE: Final = 10_000
EVENT_NAME: Final = "otel.event.name"
"""The `extra` key by which a record says which event it stands for."""
_LASTING: Final = frozenset({str, int, float, bool, type(None)})
"""Types of arguments that read the same later."""


class Entry(NamedTuple):
    """A record, the context it was made in (its span), and the request it belongs to."""

    record: logging.LogRecord
    context: Context
    request: RequestContext | None


class Capture(logging.Handler):
    """Puts records aside; never blocks, never raises. A full queue drops the record and says so to `on_drop`."""

    def __init__(
        self, *, hidden_events: Collection[str] = (), on_drop: Callable[[], None], limit: int = QUEUE_SIZE
    ) -> None:
        super().__init__()
        self.entries: deque[Entry] = deque()
        self.waiting: Final = threading.Event()
        """Set as soon as there is an entry; whoever takes entries clears it first."""
        self._hidden = frozenset(hidden_events)
        self._on_drop = on_drop
        self._limit = limit
        self.dropped = 0
        """Records lost since the start because the queue was full."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Put the record aside. Takes no lock: appending to a deque needs none."""
        facts = vars(record)
        if EVENT_NAME in facts and facts[EVENT_NAME] in self._hidden:
            return False
        if record.args and not _LASTING.issuperset(map(type, record.args)):
            record.msg, record.args = message_of(record), None
        if len(self.entries) >= self._limit:
            self.dropped += 1
            self._on_drop()
            return False
        self.entries.append(Entry(record, get_current(), request_context.current()))
        # Waking a thread costs more than asking whether it is awake.
        if not self.waiting.is_set():
            self.waiting.set()
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """The same; whoever calls a handler by its other name is served, too."""
        self.handle(record)


def message_of(record: logging.LogRecord) -> str:
    """The record's message, also when its arguments do not fit."""
    try:
        return record.getMessage()
    except Exception:  # anything may come out of a foreign __str__; a broken record is still news
        return f"{record.msg!s} (with arguments that do not fit)"
