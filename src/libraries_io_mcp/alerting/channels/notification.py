"""What a channel delivers, and what it says of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.telemetry.semconv import AlertChannel


@dataclass(frozen=True, slots=True)
class Done:
    """Delivered. `note` says what went wrong nevertheless, such as a refused recipient among several."""

    note: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now. `after_seconds` is what the other side asked for, if anything. The reason holds no secret."""

    reason: str
    after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Never: trying again would not change anything. The reason holds no secret."""

    reason: str


Result = Done | Retry | GiveUp


@dataclass(frozen=True, slots=True)
class Notification:
    """One message about a group of alerts, the same however often it is tried.

    Attributes:
        group: the labels that make the group, `alertname` and `service_name`.
        alerts: those of the group that fire, and those that have just resolved.
        started: when the group's first alert fired, seconds since 1970: with the group it names the thread.
        sequence: how many messages of the thread went before.
        created: when it was made, seconds since 1970.
    """

    group: Mapping[str, str]
    alerts: tuple[Alert, ...]
    started: float
    sequence: int
    created: float

    @property
    def status(self) -> Literal["firing", "resolved"]:
        """`firing` while any of them fires."""
        return "firing" if any(alert.state == "firing" for alert in self.alerts) else "resolved"

    @property
    def group_key(self) -> str:
        """The group as Alertmanager writes it: `{}:{alertname="...", service_name="..."}`. Stable over time."""
        labels = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in self.group.items())
        return f"{{}}:{{{labels}}}"

    def to_json(self) -> dict[str, Any]:
        """For the state file."""
        return {
            "group": dict(self.group),
            "alerts": [alert_to_json(alert) for alert in self.alerts],
            "started": self.started,
            "sequence": self.sequence,
            "created": self.created,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Notification":
        """What `to_json` gave.

        Raises:
            KeyError, TypeError: it is something else.
        """
        return cls(
            dict(data["group"]),
            tuple(alert_from_json(alert) for alert in data["alerts"]),
            float(data["started"]),
            int(data["sequence"]),
            float(data["created"]),
        )


class Channel(Protocol):
    """A way to people."""

    name: AlertChannel

    async def deliver(self, notification: Notification) -> Result:
        """Deliver within the channel's time limit. Raises nothing."""
        ...

    async def aclose(self) -> None:
        """Close what is open."""
        ...


def alert_to_json(alert: Alert) -> dict[str, Any]:
    """For the state file."""
    values = {field.name: getattr(alert, field.name) for field in fields(alert)}
    return {**values, "labels": dict(alert.labels), "annotations": dict(alert.annotations)}


def alert_from_json(data: Mapping[str, Any]) -> Alert:
    """What `alert_to_json` gave.

    Raises:
        TypeError: it is something else.
    """
    return Alert(**data)


def group_of(alert: Alert) -> tuple[tuple[str, str], ...]:
    """The group of an alert: its name and service."""
    return tuple((name, alert.labels.get(name, "")) for name in ("alertname", "service_name"))


def common(mappings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of them say alike, by name."""
    first, *others = mappings or [{}]
    return {name: first[name] for name in sorted(first) if all(each.get(name) == first[name] for each in others)}


class AlertmanagerApi(Protocol):
    """What is asked of Alertmanager: see `alertmanager.py`."""

    async def push(self, alerts: Sequence[Alert], interval_seconds: float) -> Result:
        """Send alerts as Prometheus does."""
        ...

    async def started(self) -> str | Result:
        """When it was started, or why it does not answer."""
        ...

    async def silence(self, labels: Mapping[str, str], until: float, known: str | None) -> str | Result:
        """Silence one alert."""
        ...

    async def aclose(self) -> None:
        """Close what is open."""
        ...


@dataclass(frozen=True, slots=True)
class Channels:
    """The ways that are configured."""

    direct: tuple[Channel, ...] = ()
    alertmanager: AlertmanagerApi | None = None
