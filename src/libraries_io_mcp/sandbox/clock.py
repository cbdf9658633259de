"""Time: the clock that is handed in, and timestamps as the service prints them."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Returns seconds since the epoch."""


def timestamp(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds: `2024-01-05T18:39:12.470Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
