"""Calls, failures and percentiles over time: one row for each slice of time and operation in which something ended.

Made of the summary's slices, so of the same histograms that Prometheus gets. Bounded: an hour of slices, and operations
come from closed sets.
"""

import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from libraries_io_mcp.telemetry.distribution import Distribution, together
from libraries_io_mcp.telemetry.summary import SLICE_SECONDS, TOOL_CALL, Operations

SLICES: Final = 240
TOOL_CALLS: Final = TOOL_CALL.strip()
"""Also the name of all tools together."""

Row = tuple[int, int, float, float, float]
"""Count, failures, and the 50th, 95th and 99th percentile in seconds."""
Rows = Mapping[str, Mapping[str, Row]]
"""Rows by kind and name."""


class Series:
    """The finished slices of the last hour. `add` is the summary's `on_slice`."""

    def __init__(self, *, slices: int = SLICES) -> None:
        self._lock = threading.Lock()
        self._slices: deque[tuple[int, Rows]] = deque(maxlen=slices)

    def add(self, number: int, operations: Operations) -> None:
        """Keep a slice that is finished."""
        rows = rows_of(operations)
        with self._lock:
            self._slices.append((number, rows))

    def since(self, number: int) -> tuple[list[dict[str, Any]], int]:
        """The slices after `number` (-1: all of them), oldest first, and the number to ask with next time."""
        with self._lock:
            slices = [(each, rows) for each, rows in self._slices if each > number]
        newest = slices[-1][0] if slices else number
        return [{"number": each, **rows} for each, rows in slices], newest

    def facts(self) -> dict[str, Any]:
        """What a reader needs to place the slices."""
        return {"slice_seconds": SLICE_SECONDS, "most_slices": self._slices.maxlen}


def rows_of(operations: Operations) -> Rows:
    """Rows of what was measured, all tools together among them."""
    found: dict[str, dict[str, Row]] = {}
    for (kind, name), distribution in operations.items():
        found.setdefault(kind, {})[name] = _row(distribution)
    tools = together(
        [each for (kind, name), each in operations.items() if kind == "operations" and name.startswith(TOOL_CALL)]
    )
    if tools is not None:
        found["operations"][TOOL_CALLS] = _row(tools)
    return found


def _row(distribution: Distribution) -> Row:
    p50, p95, p99 = (round(distribution.percentile(share), 5) for share in (0.5, 0.95, 0.99))
    return distribution.count, distribution.failures, p50, p95, p99
