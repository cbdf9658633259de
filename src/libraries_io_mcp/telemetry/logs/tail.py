"""The last log lines, kept in memory for who can't see the destinations: bounded, redacted like every line.

Warnings and errors have a room of their own, so that many good calls don't push them out.
"""

import json
import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from libraries_io_mcp.telemetry.logs.facts import Facts
from libraries_io_mcp.telemetry.logs.lines import Line

MAX_LINES: Final = 300
MAX_NOTABLE: Final = 200
MAX_BYTES: Final = 500_000
"""Characters of all kept lines of one room."""
LONGEST_LINE: Final = 8_000
LONGEST_MESSAGE: Final = 2_000


@dataclass(slots=True)
class _Room:
    """Numbered lines, oldest first."""

    most: int
    lines: deque[tuple[int, str]]
    size: int = 0

    def put(self, number: int, line: str, most_bytes: int) -> None:
        self.lines.append((number, line))
        self.size += len(line)
        while len(self.lines) > self.most or self.size > most_bytes:
            self.size -= len(self.lines.popleft()[1])


class LogTail:
    """Takes what the relay hands on. `line` renders JSON; a line that is JSON already can be handed in."""

    def __init__(
        self, line: Line, *, max_lines: int = MAX_LINES, max_notable: int = MAX_NOTABLE, max_bytes: int = MAX_BYTES
    ) -> None:
        self._line = line
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._ordinary = _Room(max_lines, deque())
        self._notable = _Room(max_notable, deque())
        self._number = 0

    @property
    def size(self) -> int:
        """Characters that are kept."""
        return self._ordinary.size + self._notable.size

    def put(self, facts: Facts, json_line: str | None = None) -> None:
        """Keep one record."""
        line = json_line if json_line is not None else self._line(facts)
        if len(line) > LONGEST_LINE:
            line = _shortened(line)
        with self._lock:
            self._number += 1
            room = self._notable if facts.entry.record.levelno >= logging.WARNING else self._ordinary
            room.put(self._number, line, self._max_bytes)

    def since(self, number: int, limit: int) -> tuple[list[dict[str, Any]], int, int]:
        """What is new after `number`: records oldest first, the number to ask with next time, how many are not told.

        Of more than `limit` the newest are told, warnings and errors before others.
        """
        with self._lock:
            newest = self._number
            notable = [each for each in self._notable.lines if each[0] > number][-limit:]
            room = limit - len(notable)
            ordinary = [each for each in self._ordinary.lines if each[0] > number]
        chosen = sorted(notable + (ordinary[-room:] if room else []))
        found = [{**json.loads(line), "number": each} for each, line in chosen]
        return found, newest, max(0, newest - number) - len(found)


def _shortened(line: str) -> str:
    """The record with its texts cut and nothing else but what tells what it is."""
    facts = json.loads(line)
    kept = {key: facts[key] for key in ("timestamp", "level", "logger", "event", "trace_id", "span_id") if key in facts}
    return json.dumps(
        {
            **{key: str(value)[:200] for key, value in kept.items()},
            "message": str(facts.get("message"))[:LONGEST_MESSAGE],
            "exception": str(facts.get("exception", ""))[-LONGEST_MESSAGE:],
            "cut": f"{len(line)} characters, shortened",
        },
        ensure_ascii=False,
    )
