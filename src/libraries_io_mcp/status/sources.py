"""What the page shows, handed in as callables: the page knows nobody who answers them."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Part = Callable[[], Any]
"""Gives JSON-able facts as they are now. Called in a worker thread while somebody looks; must be quick.

The object that it gave before means that nothing has changed: it is not looked into again.
"""


class Traces(Protocol):
    """The newest traces of the process."""

    def since(self, number: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        """What is new after `number`, and the number to ask with next time."""

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        """One trace with its spans."""


class Logs(Protocol):
    """The last log records of the process."""

    def since(self, number: int, limit: int) -> tuple[list[dict[str, Any]], int, int]:
        """What is new after `number`, the number to ask with next time, and how many are not told."""


class Slices(Protocol):
    """Figures over time."""

    def since(self, number: int) -> tuple[list[dict[str, Any]], int]:
        """The slices after `number`, and the number to ask with next time."""


@dataclass(frozen=True, slots=True)
class Sources:
    """All of it.

    Attributes:
        parts: by the name under which the page knows them. A missing one is shown as not available.
        traces: `None` when spans are not made.
        slices: `None` when nothing is measured.
    """

    parts: Mapping[str, Part]
    slices: Slices | None = None
    traces: Traces | None = None
    logs: Logs | None = None


def encoded(facts: Any) -> str:
    """JSON as browsers read it: in one line, and a number that JSON doesn't have is a text."""
    try:
        return json.dumps(facts, separators=(",", ":"), default=str, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(facts), separators=(",", ":"), default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
