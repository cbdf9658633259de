"""The alerts as they stand, whoever evaluates them, and what became of each since the evaluation before."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from libraries_io_mcp.alerting.alert import Alert, alert_from_json, alert_to_json
from libraries_io_mcp.alerting.history import Event, History

RESOLVED_SECONDS: Final = 900.0
"""How long a resolved alert is still told about, as Prometheus does: a message may have been lost."""

logger: Final = logging.getLogger(__name__)


class AlertStore:
    """Active alerts, those that resolved of late, those that a person resolved, and the history."""

    def __init__(self) -> None:
        self._active: dict[str, Alert] = {}
        self._resolved: dict[str, Alert] = {}
        self._by_hand: dict[str, Alert] = {}
        self.history = History()

    @property
    def active(self) -> tuple[Alert, ...]:
        """Pending and firing, those that a person resolved among them."""
        return tuple(self._active.values())

    @property
    def firing(self) -> tuple[Alert, ...]:
        """Those that fire and that nobody resolved."""
        return tuple(
            alert for key, alert in self._active.items() if alert.state == "firing" and key not in self._by_hand
        )

    @property
    def to_tell(self) -> tuple[Alert, ...]:
        """What people have to know: what fires, and what has resolved of late."""
        return (*self.firing, *self._resolved.values())

    def resolved_by_hand(self, fingerprint: str) -> bool:
        """Whether a person resolved it, and it has fired on without a break since."""
        return fingerprint in self._by_hand

    def update(self, alerts: Iterable[Alert], now: float) -> list[Event]:
        """Take over the pending and firing alerts of an evaluation, and say what happened."""
        new = {alert.fingerprint: alert for alert in alerts if alert.state != "resolved"}
        events: list[Event] = []
        for key, before in list(self._active.items()):
            after = new.get(key)
            if before.state == "firing" and (after is None or after.state == "pending"):
                events += self._end(key, before, now)
        for key, alert in new.items():
            known = self._active.get(key)
            events += self._go_on(known, alert, now)
            new[key] = _with_its_beginning(known, alert)
        self._active = new
        self._resolved = {key: alert for key, alert in self._resolved.items() if _is_recent(alert, now)}
        for event in events:
            self.history.add(event)
        return events

    def resolve(self, fingerprint: str, now: float) -> Event | None:
        """A person says that it is over; so it is, until it would fire anew.

        Returns:
            `None` when it does not fire now, or was resolved already.
        """
        alert = self._active.get(fingerprint)
        if alert is None or alert.state != "firing" or fingerprint in self._by_hand:
            return None
        self._by_hand[fingerprint] = self._resolved[fingerprint] = replace(alert, state="resolved", resolved_at=now)
        event = Event.of("resolved_by_hand", alert, now)
        self.history.add(event)
        return event

    def to_json(self) -> dict[str, Any]:
        """For the state file."""
        return {
            "active": [alert_to_json(alert) for alert in self._active.values()],
            "resolved": [alert_to_json(alert) for alert in self._resolved.values()],
            "by_hand": [alert_to_json(alert) for alert in self._by_hand.values()],
            "history": self.history.to_json(),
        }

    def restore(self, data: Any, is_known: Callable[[Alert], bool]) -> None:
        """Take over what `to_json` gave; what can't be used of it is said and left out.

        Args:
            is_known: whether there still is a rule for the alert. Without one it is over.
        """
        state = data if isinstance(data, Mapping) else {}
        self._active = _alerts(state, "active", is_known)
        self._resolved = _alerts(state, "resolved", lambda _alert: True)
        self._by_hand = _alerts(state, "by_hand", is_known)
        try:
            self.history.restore(state["history"])
        except (KeyError, TypeError, ValueError) as error:
            logger.warning("the saved history of alerts can't be read (%s): it begins anew", type(error).__name__)

    def _end(self, key: str, alert: Alert, now: float) -> list[Event]:
        if self._by_hand.pop(key, None) is not None:
            return []
        self._resolved[key] = replace(alert, state="resolved", resolved_at=now)
        return [Event.of("resolved", self._resolved[key], now)]

    def _go_on(self, before: Alert | None, alert: Alert, now: float) -> list[Event]:
        if before is not None and alert.state == before.state:
            return []
        if alert.state == "firing":
            self._resolved.pop(alert.fingerprint, None)
        # Resolved and expected again: `_end` has said the first half.
        return [Event.of("firing" if alert.state == "firing" else "pending", alert, now)]


def _with_its_beginning(before: Alert | None, alert: Alert) -> Alert:
    """The alert with the times of its beginning, which another evaluator may not have seen."""
    if before is None or alert.state != "firing":
        return alert
    active_at = min(before.active_at, alert.active_at)
    fired_at = before.fired_at if before.state == "firing" else alert.fired_at
    return replace(alert, active_at=active_at, fired_at=fired_at)


def _is_recent(alert: Alert, now: float) -> bool:
    return alert.resolved_at is not None and now - alert.resolved_at < RESOLVED_SECONDS


def _alerts(state: Mapping[str, Any], name: str, is_known: Callable[[Alert], bool]) -> dict[str, Alert]:
    items = state.get(name)
    if not isinstance(items, list):
        logger.warning("the saved list of %s alerts can't be read: it begins anew", name)
        return {}
    alerts = {}
    for item in items:
        try:
            alert = alert_from_json(item)
        except ValueError as error:
            logger.warning("one saved alert can't be read and is left out: %s", error)
            continue
        if is_known(alert):
            alerts[alert.fingerprint] = alert
    return alerts
