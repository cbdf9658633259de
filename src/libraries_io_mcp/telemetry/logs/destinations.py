"""Where lines go: console, rotating file, syslog. Each has its own bounded queue and thread.

A destination that can't be opened or written is said once on the others and tried again every few seconds; its
recovery is said once. The handlers are the standard library's; they are fed finished lines and raise what goes wrong.
"""

import logging
import logging.handlers
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn, TextIO

QUEUE_SIZE: Final = 10_000
RETRY_SECONDS: Final = 5.0
LONGEST_DATAGRAM: Final = 8_000
"""Characters of a line that syslog gets; what is longer does not fit into every receiver's datagram."""
_CHUNK: Final = 32_768
"""Lines are written together up to about this many characters: one system call instead of many."""

logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DestinationFacts:
    """How a destination does: lines lost since the start, lines queued, and why it does not work (`None`: it does)."""

    name: str
    dropped: int
    queued: int
    error: str | None


class Destination:
    """Writes lines somewhere. `work` does what can be done now; a thread of its own calls it until `stop`.

    `setting` is what says where, as `NAME=value`, for whoever is told that it does not work.
    """

    def __init__(
        self,
        name: str,
        open_: Callable[[], logging.Handler],
        *,
        on_drop: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
        chunk: int = _CHUNK,
        limit: int = QUEUE_SIZE,
        alone: bool = False,
        setting: str = "",
    ) -> None:
        self.name = name
        self._shown = f"{name} ({setting})" if setting else name
        self._open = open_
        self._on_drop = on_drop
        self._now = now
        self._chunk = chunk
        self._limit = limit
        self._alone = alone
        self._queue: deque[logging.LogRecord] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._handler: logging.Handler | None = None
        self._retry_at: float | None = None
        self._dropped = 0
        self._dropped_ever = 0
        self._error: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"log-{name}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, line: logging.LogRecord) -> None:
        """Queue a finished line, or count it as dropped. Call `wake` after the last one."""
        if len(self._queue) >= self._limit:
            self._dropped += 1
            self._dropped_ever += 1
            self._on_drop()
        else:
            self._queue.append(line)

    def facts(self) -> DestinationFacts:
        """How it does. Safe from any thread."""
        return DestinationFacts(self.name, self._dropped_ever, len(self._queue), self._error)

    def wake(self) -> None:
        """Have what is queued written."""
        self._wake.set()

    def stop(self) -> None:
        """Write what is queued and close. Blocks while the destination does, so call it under a deadline."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def work(self) -> float | None:
        """Write what is queued. Returns the seconds until it makes sense to try again, or `None` when all is well."""
        if self._retry_at is not None and not self._stopping and (left := self._retry_at - self._now()) > 0:
            return left
        try:
            self._handler = self._handler or self._open()
            self._write(self._handler)
        except Exception as error:  # whatever it is, only this destination is concerned
            self._fail(error)
            return RETRY_SECONDS
        if self._retry_at is not None:
            self._retry_at = None
            self._say("log destination %s works again; %d lines were dropped", self._shown, self._dropped)
        self._dropped, self._error = 0, None
        return None

    def _run(self) -> None:
        # At once, so that a destination that does not work is known from the first lines on.
        left = self.work()
        while not self._stopping:
            self._wake.wait(left)
            self._wake.clear()
            left = self.work()
        self.work()
        self.close()

    def _write(self, handler: logging.Handler) -> None:
        while self._queue:
            first = self._queue[0]
            lines, length = [str(first.msg)], len(str(first.msg))
            for line in list(self._queue)[1:_LINES_AT_ONCE]:
                length += len(str(line.msg))
                if length > self._chunk:
                    break
                lines.append(str(line.msg))
            handler.emit(first if len(lines) == 1 else _carrier(first.levelno, "\n".join(lines)))
            for _ in lines:
                self._queue.popleft()

    def _fail(self, error: Exception) -> None:
        reason = self._error = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        if self._retry_at is None:
            self._say(
                "log destination %s does not work: %s; it is tried again every %g s", self._shown, reason, RETRY_SECONDS
            )
        self._retry_at = self._now() + RETRY_SECONDS
        self.close()

    def _say(self, message: str, *facts: object) -> None:
        logger.warning(message, *facts)
        if self._alone:
            # There is no other destination to say it on.
            print(f"libraries-io-mcp: {message % facts}", file=sys.stderr)  # noqa: T201

    def close(self) -> None:
        """Close what is open; the next `work` opens it again."""
        handler, self._handler = self._handler, None
        try:
            if handler is not None:
                handler.close()
        except (OSError, ValueError):
            # Closing writes what a full disk did not take; it is queued still.
            return


_LINES_AT_ONCE: Final = 200


def line_record(level: int, line: str) -> logging.LogRecord:
    """A finished line as handlers take it."""
    return _carrier(level, line)


def console(stream: TextIO | None) -> Callable[[], logging.Handler]:
    """Opens stderr. stdout belongs to the stdio transport."""

    def open_() -> logging.Handler:
        return _ready(_Console(stream or sys.stderr))

    return open_


def rotating_file(path: Path, *, max_bytes: int, backup_count: int) -> Callable[[], logging.Handler]:
    """Opens a file that is rotated at a size; its folder is made."""

    def open_() -> logging.Handler:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _ready(_File(path, maxBytes=max_bytes, backupCount=backup_count, encoding="utf-8"))

    return open_


def syslog(address: str | tuple[str, int], ident: str) -> Callable[[], logging.Handler]:
    """Opens a connection to syslog: a socket file, or UDP (which never says whether anybody listens)."""

    def open_() -> logging.Handler:
        handler = _Syslog(address)
        handler.ident = f"{ident}: "
        return _ready(handler)

    return open_


class _Console(logging.StreamHandler[TextIO]):
    """Raises instead of printing a traceback."""

    def handleError(self, record: logging.LogRecord) -> NoReturn:  # noqa: N802, ARG002 - the library's signature
        _raise()


class _File(logging.handlers.RotatingFileHandler):
    """Raises instead of printing a traceback."""

    def handleError(self, record: logging.LogRecord) -> NoReturn:  # noqa: N802, ARG002 - the library's signature
        _raise()


class _Syslog(logging.handlers.SysLogHandler):
    """Raises instead of printing a traceback."""

    def handleError(self, record: logging.LogRecord) -> NoReturn:  # noqa: N802, ARG002 - the library's signature
        _raise()

    def format(self, record: logging.LogRecord) -> str:
        """The line, cut to what a datagram carries."""
        return super().format(record)[:LONGEST_DATAGRAM]


class _AsIs(logging.Formatter):
    """Lines are finished when they come here."""

    def format(self, record: logging.LogRecord) -> str:
        return str(record.msg)


def _ready(handler: logging.Handler) -> logging.Handler:
    handler.setFormatter(_AsIs())
    return handler


def _raise() -> NoReturn:
    raise sys.exc_info()[1] or RuntimeError("a handler failed without saying why")


def _carrier(level: int, line: str) -> logging.LogRecord:
    return logging.LogRecord("", level, "", 0, line, None, None)
