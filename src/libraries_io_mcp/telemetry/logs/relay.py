"""The thread between whoever logs and the destinations: renders each record once and never waits for anyone."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry.context import Context

from libraries_io_mcp.telemetry.logs.capture import Capture, Entry
from libraries_io_mcp.telemetry.logs.destinations import Destination, line_record
from libraries_io_mcp.telemetry.logs.facts import Facts, Reader
from libraries_io_mcp.telemetry.logs.lines import Line
from libraries_io_mcp.telemetry.logs.throttle import Throttle

GATHER_SECONDS: Final = 0.05
"""Records are taken together this often: waking a thread for each one would cost the caller more than the record."""


class Relay:
    """Takes entries from the capture and gives lines to destinations and facts to OTLP."""

    def __init__(
        self,
        capture: Capture,
        *,
        reader: Reader,
        line: Line,
        destinations: Sequence[Destination],
        otlp: Callable[[Facts], None] | None,
        throttle: Throttle,
        tail: Callable[[Facts, str | None], None] | None = None,
    ) -> None:
        """`tail` is handed the facts of each record, with its line if one was made."""
        self._tail = tail
        self._capture = capture
        self._reader = reader
        self._line = line
        self._destinations = tuple(destinations)
        self._otlp = otlp
        self._throttle = throttle
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-relay", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Hand on what is caught, and what was held back, then end."""
        self._ending.set()
        self._capture.waiting.set()
        self._thread.join()

    def drain(self) -> None:
        """Hand on what is caught by now."""
        entries = self._capture.entries
        with self._lock:
            while entries:
                entry = entries.popleft()
                if self._throttle.passes(entry.record):
                    self._hand_on(entry)
        for destination in self._destinations:
            destination.wake()

    def end_otlp(self) -> None:
        """Hand on what is caught by now; what comes later goes to the other destinations alone."""
        self.drain()
        self._otlp = None

    def _run(self) -> None:
        while not self._ending.is_set():
            self._capture.waiting.wait()
            self._ending.wait(GATHER_SECONDS)
            self._capture.waiting.clear()
            self.drain()
        for record in self._throttle.rest():
            self._hand_on(Entry(record, Context(), None))
        self.drain()

    def _hand_on(self, entry: Entry) -> None:
        try:
            facts = self._reader.facts(entry)
            text = self._line(facts) if self._destinations else None
            if text is not None:
                line = line_record(entry.record.levelno, text)
                for destination in self._destinations:
                    destination.put(line)
            if self._tail is not None:
                self._tail(facts, text)
            if self._otlp is not None:
                self._otlp(facts)
        except Exception:  # a foreign object may fail to show itself; the thread must live
            if entry.record.name != __name__:
                logging.getLogger(__name__).warning("a log record of %s could not be rendered", entry.record.name)
