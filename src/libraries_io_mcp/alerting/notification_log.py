"""What was last delivered of each alert to each receiver, and from that what is due: Alertmanager's nflog, and no more.

`docs/decisions/alert-delivery.md` explains all of delivery on one page.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from libraries_io_mcp.alerting.alert import SEVERITIES, Alert, alert_from_json, alert_to_json
from libraries_io_mcp.alerting.channels.notification import Group, Notification, group_of
from libraries_io_mcp.alerting.durations import parse_duration
from libraries_io_mcp.alerting.inhibition import CAUSES, REPEAT_SECONDS, muted

DEFAULT_COOLDOWN_SECONDS: Final = 300.0
MISSING_SECONDS: Final = 120.0
"""What people were told of and nobody has mentioned for so long is over."""
KEEP_SECONDS: Final = 86_400.0
"""So long it is known what was told of an alert that is over. Longer than any sensible cooldown."""

logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One alert as one receiver got it last.

    Attributes:
        alert: firing or resolved.
        at: when, in seconds since 1970.
        count: how many messages about it so far.
    """

    alert: Alert
    at: float
    count: int


class NotificationLog:
    """Decides and remembers; sends nothing. Receivers are known by their ids."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, LogEntry]] = {}
        self._missing_since: dict[str, float] = {}

    def due(self, receiver: str, alerts: Sequence[Alert], *, tells: bool, now: float) -> list[Notification]:
        """The messages that are due, the worst first.

        Args:
            alerts: as they stand: all that fire, and those that have resolved of late.
            tells: this receiver is to be told of what fires. If not, it still gets the end of what it was told of.
        """
        entries = self._entries.get(receiver, {})
        firing = {alert.fingerprint: alert for alert in alerts if alert.state == "firing"}
        fresh = [alert for alert in firing.values() if tells and _is_due(alert, entries.get(alert.fingerprint), now)]
        if fresh:
            recent = [entry.alert for entry in entries.values()]
            fresh = [alert for alert in fresh if not muted(alert, firing.values(), recent)]
        ended = [
            alert
            for alert in alerts
            if alert.state == "resolved" and alert.fingerprint not in firing and _fires(entries.get(alert.fingerprint))
        ]
        groups: dict[Group, list[Alert]] = {}
        for alert in (*fresh, *ended):
            groups.setdefault(group_of(alert), []).append(alert)
        notifications = [_notification(group, changed, firing, entries, now) for group, changed in groups.items()]
        return sorted(notifications, key=_rank)

    def delivered(self, receiver: str, notification: Notification, now: float) -> None:
        """The receiver has got it."""
        entries = self._entries.setdefault(receiver, {})
        for alert in notification.alerts:
            before = entries.get(alert.fingerprint)
            entries[alert.fingerprint] = LogEntry(alert, now, 1 if before is None else before.count + 1)

    def with_missing(self, alerts: Sequence[Alert], *, now: float, monotonic: float) -> tuple[Alert, ...]:
        """The alerts, and as resolved those that receivers were told of and that nobody has mentioned for a while.

        Such as those of a rule that was removed, or of a replica that died.
        """
        known = {alert.fingerprint for alert in alerts}
        missing = {each.fingerprint: each for each in self.open if each.fingerprint not in known}
        self._missing_since = {key: self._missing_since.get(key, monotonic) for key in missing}
        ended = (
            replace(alert, state="resolved", resolved_at=now)
            for key, alert in missing.items()
            if monotonic - self._missing_since[key] >= MISSING_SECONDS
        )
        return (*alerts, *ended)

    @property
    def open(self) -> tuple[Alert, ...]:
        """What at least one receiver was told of, and not yet of its end."""
        entries = (entry for of_one in self._entries.values() for entry in of_one.values())
        return tuple({entry.alert.fingerprint: entry.alert for entry in entries if _fires(entry)}.values())

    def forget(self, now: float) -> None:
        """Drop what is over for long."""
        for receiver, entries in self._entries.items():
            self._entries[receiver] = {
                key: entry for key, entry in entries.items() if _fires(entry) or abs(now - entry.at) < KEEP_SECONDS
            }

    def to_json(self) -> list[dict[str, Any]]:
        """For the state file."""
        return [
            {"receiver": receiver, "alert": alert_to_json(entry.alert), "at": entry.at, "count": entry.count}
            for receiver, entries in self._entries.items()
            for entry in entries.values()
        ]

    def restore(self, data: Any, receivers: Iterable[str]) -> None:
        """Take over what `to_json` gave, and nothing else; what can't be used of it is said and left out."""
        known = set(receivers)
        self._entries = {}
        for item in data if isinstance(data, list) else ():
            try:
                receiver = str(item["receiver"])
                entry = LogEntry(alert_from_json(item["alert"]), float(item["at"]), int(item["count"]))
            except (KeyError, TypeError, ValueError) as error:
                logger.warning("what was told of one alert can't be read and may be told again (%s)", error)
                continue
            if receiver in known:
                self._entries.setdefault(receiver, {})[entry.alert.fingerprint] = entry
        if not isinstance(data, list):
            logger.warning("what was told before the restart can't be read: what fires is told again")


def _rank(notification: Notification) -> tuple[bool, bool, int]:
    """Causes first, since what follows from them is then muted; then the worst."""
    is_cause = any(alert.name in CAUSES for alert in notification.alerts)
    return notification.status != "firing", not is_cause, SEVERITIES.index(notification.severity)


def _is_due(alert: Alert, entry: LogEntry | None, now: float) -> bool:
    if alert.severity == "none":
        return False
    if entry is None:
        return True
    quiet = REPEAT_SECONDS[alert.severity] if _fires(entry) else cooldown_seconds(alert)
    # A time that lies ahead is that of a clock that was set back: better once more than never.
    return not 0.0 <= now - entry.at < quiet


def _fires(entry: LogEntry | None) -> bool:
    return entry is not None and entry.alert.state == "firing"


def _notification(
    group: Group,
    changed: Sequence[Alert],
    firing: Mapping[str, Alert],
    entries: Mapping[str, LogEntry],
    now: float,
) -> Notification:
    """With what else of the group this receiver knows to fire."""
    alerts = {alert.fingerprint: alert for alert in changed}
    for key, entry in entries.items():
        if _fires(entry) and key in firing and group_of(entry.alert) == group:
            alerts.setdefault(key, firing[key])
    told = [entries[key] for key in alerts if key in entries]
    reminds = all(alert.state == "firing" and _fires(entries.get(key)) for key, alert in alerts.items())
    return Notification(
        dict(group),
        tuple(sorted(alerts.values(), key=lambda alert: (alert.state != "firing", alert.since))),
        now,
        count=max((entry.count for entry in told), default=0),
        reminds=reminds,
    )


def cooldown_seconds(alert: Alert) -> float:
    """Of the rule's annotation `cooldown`, or the default when it has none that can be read."""
    try:
        return parse_duration(alert.annotations["cooldown"].strip())
    except (KeyError, ValueError):
        return DEFAULT_COOLDOWN_SECONDS
