"""What one group's evaluation hands to the next: alerts as they stand, and the series each rule gave.

Plain data that goes to JSON and back. The alerts are what must survive a restart; the series are only needed to mark
those stale that a rule gives no more, so they are left out of the JSON: after a restart there are no old samples.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, get_args

from libraries_io_mcp.alerting.alert import Alert, AlertState
from libraries_io_mcp.alerting.rule import AlertingRule, Group, Rule

OUTAGE_TOLERANCE_SECONDS: Final = 3600.0
"""Prometheus' --rules.alert.for-outage-tolerance: a pending alert older than that begins anew."""
GRACE_SECONDS: Final = 600.0
"""Prometheus' --rules.alert.for-grace-period: least time between a restart and an alert that was pending before."""
HOLD_SECONDS: Final = 600.0
"""Longest time for which an alert that fired before a restart is held while its samples gather again."""

RuleKey = str
"""Name and number among rules of that name in the group."""


@dataclass(frozen=True, slots=True)
class GroupState:
    """One group between two evaluations.

    Attributes:
        evaluated_at: seconds since 1970 of the last evaluation, `None` before the first.
        alerts: by rule; pending, firing, and resolved for 15 minutes.
        series: by rule; the label sets it gave at the last evaluation.
        restored_at: since when this process evaluates what another one began, else `None`.
    """

    evaluated_at: float | None = None
    alerts: Mapping[RuleKey, tuple[Alert, ...]] = field(default_factory=dict)
    series: Mapping[RuleKey, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    restored_at: float | None = None

    def to_json(self) -> dict[str, Any]:
        """What must survive a restart, as JSON knows it. A value that is no number becomes a text."""
        alerts = {key: [_alert_to_json(each) for each in found] for key, found in self.alerts.items() if found}
        return {"evaluated_at": self.evaluated_at, "alerts": alerts}

    @classmethod
    def from_json(cls, data: Any) -> "GroupState":
        """What `to_json` gave.

        Raises:
            ValueError: it is not of that form.
        """
        try:
            evaluated_at = data["evaluated_at"]
            alerts = {
                str(key): tuple(_alert_from_json(each) for each in found) for key, found in data["alerts"].items()
            }
            return cls(None if evaluated_at is None else float(evaluated_at), alerts)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"no state of a rule group: {type(error).__name__}: {error}") from None

    def restored(self, group: Group, now: float) -> "GroupState":
        """This state, read after a restart, as the first evaluation at `now` may take it over.

        Firing and resolved alerts stay, however long nobody evaluated: whoever was told of the one is owed the other.
        A pending alert is treated as Prometheus treats it: the time in which nobody evaluated does not count towards
        `for`; when that was longer than an hour, or `for` is shorter than ten minutes, `for` begins anew; and what has
        less than ten minutes to go gets ten. Rules that the group no longer has are forgotten.
        """
        if self.evaluated_at is None:
            return GroupState()
        down = max(0.0, now - self.evaluated_at)
        kept: dict[RuleKey, tuple[Alert, ...]] = {}
        for key, rule in keyed(group.rules):
            if isinstance(rule, AlertingRule):
                found = (_restored(each, rule, self.evaluated_at, down, now) for each in self.alerts.get(key, ()))
                kept[key] = tuple(each for each in found if each is not None)
        return GroupState(self.evaluated_at, kept, {}, now)


def keyed(rules: Sequence[Rule]) -> list[tuple[RuleKey, Rule]]:
    """Each rule with its key: it stays the same when other rules are added or moved."""
    counts: dict[str, int] = {}
    found = []
    for rule in rules:
        name = rule.name if isinstance(rule, AlertingRule) else rule.record
        counts[name] = counts.get(name, 0) + 1
        found.append((f"{name}#{counts[name]}", rule))
    return found


def _restored(alert: Alert, rule: AlertingRule, stopped_at: float, down: float, now: float) -> Alert | None:
    if alert.state != "pending":
        return alert
    remaining = rule.for_seconds - (stopped_at - alert.active_at)
    if remaining <= 0:
        return alert
    if down > OUTAGE_TOLERANCE_SECONDS or rule.for_seconds < GRACE_SECONDS:
        return None
    if remaining < GRACE_SECONDS:
        return replace(alert, active_at=now + GRACE_SECONDS - rule.for_seconds)
    return replace(alert, active_at=alert.active_at + down)


def _alert_to_json(alert: Alert) -> dict[str, Any]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "value": alert.value if math.isfinite(alert.value) else str(alert.value),
        "state": alert.state,
        "active_at": alert.active_at,
        "fired_at": alert.fired_at,
        "resolved_at": alert.resolved_at,
        "keep_firing_since": alert.keep_firing_since,
    }


def _alert_from_json(data: Any) -> Alert:
    state = next((each for each in get_args(AlertState) if each == data["state"]), None)
    labels = {str(name): str(value) for name, value in data["labels"].items()}
    if state is None or "alertname" not in labels:
        raise ValueError("an alert without a name or a known state")
    return Alert(
        labels,
        {str(name): str(value) for name, value in data["annotations"].items()},
        float(data["value"]),
        state,
        float(data["active_at"]),
        *(_moment(data[name]) for name in ("fired_at", "resolved_at", "keep_firing_since")),
    )


def _moment(value: Any) -> float | None:
    return None if value is None else float(value)
