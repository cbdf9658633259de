"""What a channel delivers, and what it says of it."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from libraries_io_mcp.alerting.alert import SEVERITIES, Alert, Severity
from libraries_io_mcp.telemetry.semconv import AlertChannel

LONGEST_REASON: Final = 200

Group = tuple[tuple[str, str], ...]
"""The labels that make a group, with their values."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """People have it. `note` says what was odd nevertheless."""

    note: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Not now; it is tried again. `after_seconds` is what the other side asked for. The reason holds no secret."""

    reason: str
    after_seconds: float | None = None


Result = Delivered | Failed


@dataclass(frozen=True, slots=True)
class Notification:
    """One message about a group of alerts.

    Attributes:
        group: the labels that make the group, `alertname` and `service_name`.
        alerts: those of the group that fire, and those that have just resolved. At least one.
        created: when it was made, seconds since 1970.
        count: how many messages about these alerts the receiver had before.
        reminds: there is nothing new in it.
    """

    group: Mapping[str, str]
    alerts: tuple[Alert, ...]
    created: float
    count: int = 0
    reminds: bool = False

    @property
    def status(self) -> Literal["firing", "resolved"]:
        """`firing` while any of them fires."""
        return "firing" if any(alert.state == "firing" for alert in self.alerts) else "resolved"

    @property
    def severity(self) -> Severity:
        """The worst of them."""
        return min((alert.severity for alert in self.alerts), key=SEVERITIES.index)

    @property
    def group_key(self) -> str:
        """The group as Alertmanager writes it: `{}:{alertname="...", service_name="..."}`. Stable over time."""
        labels = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in self.group.items())
        return f"{{}}:{{{labels}}}"

    @property
    def identity(self) -> str:
        """The same for each attempt to deliver the same, and another one for whatever follows."""
        states = sorted(f"{alert.fingerprint} {alert.state} {alert.since:.3f}" for alert in self.alerts)
        return _digest(self.group_key, str(self.count), *states)

    @property
    def thread(self) -> str:
        """The same for all that is told of one outage, from its first alert on."""
        return _digest(self.group_key, f"{min(alert.since for alert in self.alerts):.3f}")


class Channel(Protocol):
    """A way to one receiver.

    Attributes:
        name: the kind, as signals have it.
        id: the receiver, as the notification log knows it; stable over restarts.
        label: the same for people: in the log and on the health page.
    """

    name: AlertChannel
    id: str
    label: str

    async def deliver(self, notification: Notification) -> Result:
        """Deliver within the channel's time limit. Raises nothing."""
        ...

    async def aclose(self) -> None:
        """Close what is open."""
        ...


class AlertmanagerApi(Protocol):
    """What is asked of Alertmanager: see `alertmanager.py`."""

    async def push(self, alerts: Sequence[Alert]) -> Result:
        """Send alerts as Prometheus does."""
        ...

    async def ask(self) -> Result:
        """Whether it answers."""
        ...

    async def aclose(self) -> None:
        """Close what is open."""
        ...


@dataclass(frozen=True, slots=True)
class Channels:
    """The ways that are configured."""

    direct: tuple[Channel, ...] = ()
    alertmanager: AlertmanagerApi | None = None


def group_of(alert: Alert) -> Group:
    """The group of an alert: its name and service."""
    return tuple((name, alert.labels.get(name, "")) for name in ("alertname", "service_name"))


def common(mappings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of them say alike, by name."""
    first, *others = mappings or [{}]
    return {name: first[name] for name in sorted(first) if all(each.get(name) == first[name] for each in others)}


def cleaned(text: str, secrets: Iterable[str]) -> str:
    """What the other side said, as one short line without what it may repeat of our secrets."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}..."


def _digest(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:32]
