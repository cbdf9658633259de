"""Who has been told what: decides which messages the direct channels get. Pure but for its own memory.

Every alert has one teller for its whole life: whoever told people that it fires also tells them that it is over.
`docs/decisions/alert-channels.md` explains the rules.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.notification import Notification, alert_from_json, alert_to_json, group_of
from libraries_io_mcp.alerting.durations import parse_duration

RESOLVED_SECONDS: Final = 900.0
"""So long a resolved alert is still sent to Alertmanager, as Prometheus does."""
UNSEEN_SECONDS: Final = 3600.0
"""An alert that nobody has mentioned for so long is forgotten."""
DEFAULT_COOLDOWN_SECONDS: Final = 300.0
SETTLE_SECONDS: Final = 90.0
"""Alertmanager has told people of an alert that it has had for so long: its group_wait and group_interval together."""
SILENCE_SECONDS: Final = 300.0

Teller = Literal["alertmanager", "direct"]
Group = tuple[tuple[str, str], ...]
logger: Final = logging.getLogger("libraries_io_mcp.alerting")


@dataclass(slots=True)
class Entry:
    """One alert, from its first firing until 15 minutes after its end.

    Attributes:
        since: when the teller was given its present state.
        told: whether people were told that it fires. `queued`: not one channel has delivered it yet.
        over: it has resolved. `ending`: and people are still to be told so.
        silence: id of the silence that keeps Alertmanager from telling it too.
    """

    alert: Alert
    teller: Teller
    since: float
    seen_at: float
    told: Literal["no", "queued", "delivered"] = "no"
    over: bool = False
    ending: bool = False
    held: bool = False
    silence: str | None = None
    silence_until: float = 0.0


@dataclass(slots=True)
class Thread:
    """The messages about one group until all of it is over."""

    started: float
    sequence: int = -1


@dataclass(frozen=True, slots=True)
class Review:
    """What follows: messages for the direct channels, and alerts that are held back from now on.

    What holds one back is its rule's cooldown, or a critical alert about the same.
    """

    notifications: tuple[Notification, ...]
    held: tuple[Alert, ...]


class Ledger:
    """What people know. Times are seconds since 1970."""

    def __init__(self, *, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._settle = settle_seconds
        self._entries: dict[str, Entry] = {}
        self._threads: dict[Group, Thread] = {}
        self._fired: dict[Group, float] = {}

    def review(self, alerts: Iterable[Alert], *, direct: bool, answered_at: float | None, now: float) -> Review:
        """Take in the alerts as they stand.

        Args:
            direct: Alertmanager is not there, so the direct channels tell people.
            answered_at: when Alertmanager last answered.
        """
        for alert in alerts:
            if alert.state == "firing" and alert.severity != "none":
                self._fires(alert, direct, now)
            elif alert.state == "resolved":
                self._is_over(alert, now)
        if direct:
            self._take_over(answered_at)
        self._forget(now)
        return self._messages(now)

    def returned(self, now: float) -> None:
        """Alertmanager is back: what nobody has been told yet is its business."""
        for entry in self._entries.values():
            if entry.teller == "direct" and entry.told == "no" and not entry.over:
                entry.teller, entry.since, entry.held = "alertmanager", now, False
            # A killed Alertmanager has forgotten the newest silences.
            entry.silence, entry.silence_until = None, 0.0

    def restarted(self, answered_at: float | None) -> None:
        """Alertmanager was restarted: it may have forgotten what it has told, so we see such alerts to their end."""
        for entry in self._entries.values():
            if entry.teller == "alertmanager" and not entry.over and self._settled(entry, answered_at):
                entry.teller, entry.told = "direct", "delivered"
            entry.silence, entry.silence_until = None, 0.0

    def to_silence(self, now: float) -> list[tuple[Entry, float]]:
        """Alerts that Alertmanager must not tell too, each with the time until which it is to be silenced."""
        found = []
        for entry in self._entries.values():
            if entry.teller != "direct" or entry.told != "delivered":
                continue
            until = entry.since + RESOLVED_SECONDS + 60.0 if entry.over else now + SILENCE_SECONDS
            due = entry.silence_until < until - 1.0 if entry.over else entry.silence_until < now + SILENCE_SECONDS / 2
            if due and until > now:
                found.append((entry, until))
        return found

    def delivered(self, notification: Notification) -> None:
        """One channel has told people."""
        for alert in notification.alerts:
            entry = self._entries.get(alert.fingerprint)
            if entry is not None and entry.told == "queued":
                entry.told = "delivered"

    @property
    def open(self) -> tuple[Alert, ...]:
        """The alerts that are not over."""
        return tuple(entry.alert for entry in self._entries.values() if not entry.over)

    def state(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "entries": [_entry_to_json(entry) for entry in self._entries.values()],
            "threads": [[*group, asdict(thread)] for group, thread in self._threads.items()],
            "fired": [[*group, at] for group, at in self._fired.items()],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """What `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        entries = [Entry(**{**each, "alert": alert_from_json(each["alert"])}) for each in state["entries"]]
        threads = {_group(labels): Thread(**thread) for *labels, thread in state["threads"]}
        fired = {_group(labels): float(at) for *labels, at in state["fired"]}
        self._entries = {entry.alert.fingerprint: entry for entry in entries}
        self._threads, self._fired = threads, fired

    def _fires(self, alert: Alert, direct: bool, now: float) -> None:
        known = self._entries.get(alert.fingerprint)
        if known is not None and not known.over:
            known.alert, known.seen_at = alert, now
            return
        # While a silence of ours is in force, nobody else can tell it.
        ours = known is not None and known.teller == "direct" and known.silence_until > now
        entry = Entry(alert, "direct" if direct or ours else "alertmanager", now, now)
        if known is not None and ours:
            entry.silence, entry.silence_until = known.silence, known.silence_until
        self._entries[alert.fingerprint] = entry

    def _is_over(self, alert: Alert, now: float) -> None:
        entry = self._entries.get(alert.fingerprint)
        if entry is None or entry.over:
            return
        entry.alert, entry.since, entry.seen_at = alert, now, now
        entry.over = True
        entry.ending = entry.told != "no"

    def _take_over(self, answered_at: float | None) -> None:
        for entry in self._entries.values():
            if entry.teller == "direct":
                continue
            settled = self._settled(entry, answered_at)
            if not entry.over:
                entry.teller, entry.told = "direct", "delivered" if settled else "no"
            elif not settled:
                # It had no time to say that this is over.
                entry.teller, entry.told, entry.ending = "direct", "delivered", True

    def _settled(self, entry: Entry, answered_at: float | None) -> bool:
        return answered_at is not None and answered_at - entry.since >= self._settle

    def _forget(self, now: float) -> None:
        for fingerprint, entry in list(self._entries.items()):
            if entry.over and now > entry.since + RESOLVED_SECONDS + 60.0:
                del self._entries[fingerprint]
            elif not entry.over and now > entry.seen_at + UNSEEN_SECONDS:
                logger.warning("alert %s was not seen for an hour: how it ended is not told", entry.alert.name)
                del self._entries[fingerprint]
        # A day is longer than any sensible cooldown.
        self._fired = {group: at for group, at in self._fired.items() if now - at < 86_400.0}

    def _messages(self, now: float) -> Review:
        groups: dict[Group, list[Entry]] = {}
        for entry in self._entries.values():
            if entry.teller == "direct":
                groups.setdefault(group_of(entry.alert), []).append(entry)
        notifications, held = [], []
        critical = {_subject(entry.alert) for entry in self._entries.values() if _is_critical(entry)}
        for group, entries in groups.items():
            untold = [entry for entry in entries if entry.told == "no" and not entry.over]
            fresh = [entry for entry in untold if _is_critical(entry) or _subject(entry.alert) not in critical]
            if fresh and now < self._fired.get(group, float("-inf")) + max(map(cooldown_seconds, fresh)):
                fresh = []
            for entry in untold:
                if not entry.held and entry not in fresh:
                    held.append(entry.alert)
                    entry.held = True
            ended = [entry for entry in entries if entry.ending]
            if fresh or ended:
                notifications.append(self._message(group, entries, fresh, ended, now))
        return Review(tuple(notifications), tuple(held))

    def _message(
        self, group: Group, entries: Sequence[Entry], fresh: Sequence[Entry], ended: Sequence[Entry], now: float
    ) -> Notification:
        for entry in fresh:
            entry.told, entry.since = "queued", now
        for entry in ended:
            entry.ending = False
        if fresh:
            self._fired[group] = now
        firing = [entry for entry in entries if entry.told != "no" and not entry.over]
        alerts = sorted((entry.alert for entry in [*firing, *ended]), key=_begun)
        thread = self._threads.setdefault(group, Thread(_begun(alerts[0])))
        thread.sequence += 1
        if not firing:
            del self._threads[group]
        return Notification(dict(group), tuple(alerts), thread.started, thread.sequence, now)


def cooldown_seconds(entry: Entry) -> float:
    """Of the rule's annotation `cooldown`, or the default when it has none that can be read."""
    try:
        return parse_duration(entry.alert.annotations["cooldown"].strip())
    except (KeyError, ValueError):
        return DEFAULT_COOLDOWN_SECONDS


def _is_critical(entry: Entry) -> bool:
    return entry.alert.severity == "critical" and not entry.over


def _subject(alert: Alert) -> tuple[str, str]:
    """What an alert is about: a critical one silences the milder ones, as Alertmanager's inhibit_rules have it."""
    return alert.labels.get("service_name", ""), alert.labels.get("slo", "")


def _entry_to_json(entry: Entry) -> dict[str, Any]:
    values = {field.name: getattr(entry, field.name) for field in fields(entry)}
    return {**values, "alert": alert_to_json(entry.alert)}


def _begun(alert: Alert) -> float:
    return alert.active_at if alert.fired_at is None else alert.fired_at


def _group(labels: Sequence[Sequence[str]]) -> Group:
    return tuple((str(name), str(value)) for name, value in labels)
