"""Repeated warnings: the first one passes, then one a minute that says how many were held back."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from libraries_io_mcp.telemetry.logs.capture import EVENT_NAME, message_of

THROTTLE_SECONDS: Final = 60.0
MOST_KEYS: Final = 1_000
OWN_PACKAGES: Final = frozenset({"opentelemetry", "urllib3", "requests", "grpc"})
"""Loggers of the exporters themselves. They word one trouble in many ways, so their template is what repeats."""


@dataclass(slots=True)
class _Seen:
    since: float
    held_back: int
    record: logging.LogRecord


class Throttle:
    """Holds back warnings that say the same again within a minute. Records that stand for an event always pass."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: dict[tuple[str, int, str], _Seen] = {}

    def passes(self, record: logging.LogRecord) -> bool:
        """Whether the record passes; the first one after a pause is told how many did not."""
        exporters = record.name.partition(".")[0] in OWN_PACKAGES
        if not exporters and (record.levelno < logging.WARNING or EVENT_NAME in vars(record)):
            return True
        now = self._now()
        key = (record.name, record.levelno, str(record.msg) if exporters else message_of(record))
        seen = self._seen.get(key)
        if seen is not None and now - seen.since < THROTTLE_SECONDS:
            seen.held_back += 1
            return False
        if len(self._seen) >= MOST_KEYS:
            self._forget(now)
        self._seen[key] = _Seen(now, 0, record)
        if seen is not None and seen.held_back:
            _append(record, seen.held_back)
        return True

    def rest(self) -> Iterator[logging.LogRecord]:
        """At the end: one record for each warning that was held back and not yet accounted for."""
        for (name, level, _), seen in self._seen.items():
            if seen.held_back:
                last = logging.makeLogRecord({"name": name, "levelno": level, "levelname": logging.getLevelName(level)})
                last.msg = message_of(seen.record)
                _append(last, seen.held_back)
                yield last
        self._seen.clear()

    def _forget(self, now: float) -> None:
        kept = {key: seen for key, seen in self._seen.items() if now - seen.since < THROTTLE_SECONDS}
        self._seen = kept if len(kept) < MOST_KEYS else {}


def _append(record: logging.LogRecord, held_back: int) -> None:
    record.msg, record.args = f"{message_of(record)} ({held_back} more like this held back)", ()
