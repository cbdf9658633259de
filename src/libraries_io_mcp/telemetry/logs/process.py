"""The logging of the process: taken over when it is built, given back to nobody when it ends."""

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Final

from opentelemetry._logs import LoggerProvider

from libraries_io_mcp.telemetry.logs.capture import QUEUE_SIZE, Capture
from libraries_io_mcp.telemetry.logs.destinations import Destination, DestinationFacts
from libraries_io_mcp.telemetry.logs.facts import Facts, Reader
from libraries_io_mcp.telemetry.logs.lines import Line
from libraries_io_mcp.telemetry.logs.otlp import OtlpEmitter
from libraries_io_mcp.telemetry.logs.relay import Relay
from libraries_io_mcp.telemetry.logs.throttle import Throttle

_OWN_HANDLERS: Final = ("fastmcp", "mcp", "uvicorn", "uvicorn.error")
_CHATTY: Final = ("httpx", "httpx2", "httpcore", "httpcore2", "mcp", "fastmcp", "uvicorn", "sse_starlette")


class Logging:
    """Started by the constructor; ended by `stop_catching`, then the `ends` at the same time."""

    def __init__(
        self,
        *,
        level: str,
        line: Line,
        reader: Reader,
        destinations: Sequence[Destination],
        provider: LoggerProvider | None = None,
        hidden_events: Collection[str] = (),
        on_drop: Callable[[], None] = lambda: None,
        throttle: Throttle | None = None,
        tail: Callable[[Facts, str | None], None] | None = None,
        limit: int = QUEUE_SIZE,
    ) -> None:
        self._capture = Capture(hidden_events=hidden_events, on_drop=on_drop, limit=limit)
        self._relay = Relay(
            self._capture,
            reader=reader,
            line=line,
            destinations=destinations,
            otlp=OtlpEmitter(provider).emit if provider is not None else None,
            throttle=throttle or Throttle(),
            tail=tail,
        )
        self._destinations = tuple(destinations)
        self._take_over(level)
        for destination in self._destinations:
            destination.start()
        self._relay.start()

    @property
    def ends(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """What writes the last lines, by name. Each may block, so they are called under a deadline."""
        return tuple((f"log lines ({each.name})", each.stop) for each in self._destinations)

    def facts(self) -> tuple[DestinationFacts, ...]:
        """How each destination does; the first one is the queue that all of them share. Safe from any thread."""
        shared = DestinationFacts("queue", self._capture.dropped, len(self._capture.entries), None)
        return shared, *(each.facts() for each in self._destinations)

    def end_otlp(self) -> None:
        """Hand everything caught by now to the SDK; later records go to the other destinations alone."""
        self._relay.end_otlp()

    def stop_catching(self) -> None:
        """Hand on what is caught; from now on records go nowhere."""
        # Not an empty list: the standard library would then write to stderr by itself.
        logging.getLogger().handlers[:] = [logging.NullHandler()]
        self._relay.stop()

    def _take_over(self, level: str) -> None:
        root = logging.getLogger()
        root.handlers[:] = [self._capture]
        root.setLevel(level)
        # FastMCP writes through a console handler of its own unless told otherwise.
        for name in _OWN_HANDLERS:
            logger = logging.getLogger(name)
            logger.handlers.clear()
            logger.propagate = True
        # These say at INFO what our own records say better, with less that could leak.
        for name in _CHATTY:
            logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        logging.captureWarnings(capture=True)
        # The library's own advice: don't ask for what no line shows.
        logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def _is_news(record: logging.LogRecord) -> bool:
    # Said as an error of every event stream that a client still holds open when the server ends.
    return record.getMessage() != "ASGI callable returned without completing response."
