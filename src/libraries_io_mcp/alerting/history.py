"""What alerts did of late: bounded, and it says how much it has let go."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from libraries_io_mcp.alerting.alert import Alert

KEPT: Final = 200
"""Newest events that are kept, in memory and in the state file."""

EventName = Literal["pending", "firing", "resolved", "resolved_by_hand"]


@dataclass(frozen=True, slots=True)
class Event:
    """One step of one alert. `at` is in seconds since 1970."""

    at: float
    event: EventName
    fingerprint: str
    name: str
    severity: str
    summary: str
    value: float

    @classmethod
    def of(cls, event: EventName, alert: Alert, at: float) -> "Event":
        """The step of this alert."""
        return cls(
            at, event, alert.fingerprint, alert.name, alert.severity, alert.annotations.get("summary", ""), alert.value
        )


class History:
    """The newest events."""

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[Event] = deque(maxlen=kept)
        self.dropped = 0
        """Events that were let go since the first start."""

    def add(self, event: Event) -> None:
        """Keep it; the oldest one goes if there are too many."""
        if len(self._events) == self._events.maxlen:
            self.dropped += 1
        self._events.append(event)

    @property
    def newest_first(self) -> tuple[Event, ...]:
        """The events that are kept."""
        return tuple(reversed(self._events))

    def to_json(self) -> dict[str, Any]:
        """For the state file, oldest first."""
        return {"dropped": self.dropped, "events": [asdict(event) for event in self._events]}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take over what `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        events = [Event(**event) for event in data["events"]]
        self.dropped = int(data["dropped"])
        for event in events:
            self.add(event)
