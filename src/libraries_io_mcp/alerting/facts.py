"""The alerts as plain data, for people and programs: the same whoever evaluates."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from libraries_io_mcp.alerting.alert import SEVERITIES, Alert
from libraries_io_mcp.alerting.alert_store import AlertStore
from libraries_io_mcp.alerting.history import Event

EvaluatedBy = Literal["prometheus", "in_process", "off"]


def alerts_facts(
    store: AlertStore, *, evaluated_by: EvaluatedBy, since: float | None, problems: Sequence[str]
) -> dict[str, Any]:
    """`{evaluated_by, since, summary, active, problems}`: what fires and is expected to, worst first."""
    order = {severity: number for number, severity in enumerate(SEVERITIES)}
    active = sorted(store.active, key=lambda alert: (alert.state != "firing", order[alert.severity], alert.active_at))
    firing = [alert.severity for alert in store.firing]
    return {
        "evaluated_by": evaluated_by,
        "since": iso(since),
        "summary": {severity: firing.count(severity) for severity in SEVERITIES},
        "active": [_alert(alert, by_hand=store.resolved_by_hand(alert.fingerprint)) for alert in active],
        "problems": list(problems),
    }


def history_facts(store: AlertStore) -> dict[str, Any]:
    """`{events, kept, dropped}`, newest first."""
    events = store.history.newest_first
    return {"events": [_event(event) for event in events], "kept": len(events), "dropped": store.history.dropped}


def delivery_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What health has to know of the dispatcher's facts: `{undelivered, delivery_error, nobody_told}`.

    `undelivered` counts the messages about firing alerts that a receiver has not taken; `nobody_told` says that no way
    works at all, or that there is none although one is configured.
    """
    channels: Mapping[str, Mapping[str, Any]] = facts["channels"]
    failing = {name: channel for name, channel in channels.items() if channel["failing"]}
    errors = [f"{name}: {channel['reason']}" for name, channel in failing.items() if channel["firing"]]
    alertmanager_fails = facts["alertmanager"] in ("failing", "away")
    if alertmanager_fails:
        errors.insert(0, f"alertmanager: {facts['alertmanager_reason']}")
    ways = len(channels) + (facts["alertmanager"] is not None)
    return {
        "undelivered": sum(channel["failing"] for channel in failing.values() if channel["firing"]),
        "delivery_error": "; ".join(errors) or None,
        "nobody_told": 0 < ways == len(failing) + alertmanager_fails,
    }


def iso(seconds: float | None) -> str | None:
    """Seconds since 1970 as RFC 3339 in UTC, milliseconds included."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _alert(alert: Alert, *, by_hand: bool) -> dict[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "name": alert.name,
        "severity": alert.severity,
        "state": alert.state,
        "summary": alert.annotations.get("summary", ""),
        "description": alert.annotations.get("description", ""),
        "runbook_url": alert.annotations.get("runbook_url"),
        "value": _number(alert.value),
        "labels": dict(alert.labels),
        "active_since": iso(alert.active_at),
        "fired_at": iso(alert.fired_at),
        "resolved_by_hand": by_hand,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": iso(event.at),
        "event": event.event,
        "fingerprint": event.fingerprint,
        "name": event.name,
        "severity": event.severity,
        "summary": event.summary,
        "value": _number(event.value),
    }


def _number(value: float) -> float | str:
    """JSON knows no NaN and no infinity: they become text, as Prometheus writes them."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
