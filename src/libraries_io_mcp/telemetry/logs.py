"""Log records: JSON or text lines on stderr with trace ids, and the handler that feeds OTLP.

Whoever logs never waits: lines are written by a thread behind a bounded queue, and a full queue drops the record and
counts it. stdout belongs to the stdio transport and is never written to.
"""

import copy
import json
import logging
import queue
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from typing import Any, Final, Literal, TextIO

from opentelemetry import trace

from libraries_io_mcp.telemetry.redaction import Redactor

QUEUE_SIZE: Final = 10_000
THROTTLE_SECONDS: Final = 60.0
_OWN_PACKAGES: Final = ("opentelemetry", "urllib3", "requests", "grpc")
"""Loggers of the exporters themselves: their records never go to OTLP, or a failing export would feed itself."""
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_TRACE_FIELDS: Final = ("trace_id", "span_id")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: the record's facts, `extra` fields as they are, trace ids where there is a span."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break at its end."""
        fields: dict[str, Any] = {
            "timestamp": _timestamp(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "module": record.module,
            "function": record.funcName,
            "line": record.lineno,
        }
        fields |= _extra(record)
        if record.exc_text:
            fields["exception"] = record.exc_text
        # Value by value: JSON writes the quotes and backslashes of a secret differently.
        return json.dumps(self._redactor.value(fields), default=self._shown, ensure_ascii=False)

    def _shown(self, value: object) -> str:
        return self._redactor.text(str(value))


class TextFormatter(logging.Formatter):
    """One line a record for human eyes: time, level, logger, message, `key=value` fields; an exception below it."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback on further lines if there is one."""
        fields = " ".join(f"{key}={value}" for key, value in _extra(record).items())
        line = f"{_timestamp(record)} {record.levelname:<8} {record.name}: {record.getMessage()}"
        exception = f"\n{record.exc_text}" if record.exc_text else ""
        return self._redactor.text(f"{line} {fields}".rstrip() + exception)


class Throttle(logging.Filter):
    """Lets one record of each exporter message pass a minute, so that a dead Collector does not fill the log."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record passes; the first one after a pause says how many did not."""
        if record.name.partition(".")[0] not in _OWN_PACKAGES:
            return True
        key = (record.name, str(record.msg))
        since, held_back = self._seen.get(key, (-THROTTLE_SECONDS, 0))
        if self._now() - since < THROTTLE_SECONDS:
            self._seen[key] = (since, held_back + 1)
            return False
        self._seen[key] = (self._now(), 0)
        if held_back:
            record.msg, record.args = f"{record.getMessage()} ({held_back} more like this held back)", ()
        return True


class LineQueue(QueueHandler):
    """Hands records to the writing thread with the trace ids of the moment; never blocks, never raises."""

    def __init__(self, lines: "queue.Queue[logging.LogRecord]", on_drop: Callable[[], None]) -> None:
        super().__init__(lines)
        self._on_drop = on_drop

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """A copy that stands on its own: message rendered, exception as text, ids of the current span."""
        prepared = copy.copy(record)
        prepared.msg, prepared.args = record.getMessage(), ()
        if record.exc_info:
            prepared.exc_text = logging.Formatter().formatException(record.exc_info)
            prepared.exc_info = None
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            prepared.trace_id = format(span.trace_id, "032x")
            prepared.span_id = format(span.span_id, "016x")
        return prepared

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue the record, or count it as dropped."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._on_drop()


class LineWriter(QueueListener):
    """Writes the queued records in a thread of its own."""

    def enqueue_sentinel(self) -> None:
        """Mark the end. Waits for a place when the queue is full; the standard library raises `queue.Full`."""
        self.queue.put(self._sentinel)  # type: ignore[attr-defined]  # the stubs leave it out


class Logging:
    """The logging of the process: started by the constructor, ended by `stop`."""

    def __init__(
        self,
        *,
        level: str,
        line_format: Literal["json", "text"],
        redactor: Redactor,
        otlp: logging.Handler | None = None,
        on_drop: Callable[[], None] = lambda: None,
        stream: TextIO | None = None,
    ) -> None:
        writer = logging.StreamHandler(stream or sys.stderr)
        writer.setFormatter(JsonFormatter(redactor) if line_format == "json" else TextFormatter(redactor))
        lines: queue.Queue[logging.LogRecord] = queue.Queue(QUEUE_SIZE)
        to_stderr = LineQueue(lines, on_drop)
        to_stderr.addFilter(Throttle())
        self._handlers: list[logging.Handler] = [to_stderr]
        if otlp is not None:
            otlp.addFilter(lambda record: record.name.partition(".")[0] not in _OWN_PACKAGES)
            self._handlers.append(otlp)
        self._listener = LineWriter(lines, writer)
        self._listener.start()
        self._take_over(level)

    def _take_over(self, level: str) -> None:
        root = logging.getLogger()
        root.handlers[:] = self._handlers
        root.setLevel(level)
        # FastMCP writes through a console handler of its own unless told otherwise.
        for name in ("fastmcp", "mcp", "uvicorn", "uvicorn.error"):
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True
        # These say at INFO what our own records say better, with less that could leak.
        for name in ("httpx", "httpx2", "httpcore", "httpcore2", "mcp", "fastmcp", "uvicorn", "sse_starlette"):
            logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        logging.captureWarnings(capture=True)

    def stop(self) -> None:
        """Write what is queued. Blocks while stderr does, so call it under a deadline."""
        # Not an empty list: the standard library would then write to stderr by itself.
        logging.getLogger().handlers[:] = [logging.NullHandler()]
        self._listener.stop()


def _is_news(record: logging.LogRecord) -> bool:
    # Said as an error of every event stream that a client still holds open when the server ends.
    return record.getMessage() != "ASGI callable returned without completing response."


def _timestamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    extra = {key: value for key, value in vars(record).items() if key not in _STANDARD and key not in _TRACE_FIELDS}
    return extra | {key: vars(record)[key] for key in _TRACE_FIELDS if key in vars(record)}
