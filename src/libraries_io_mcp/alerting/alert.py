"""An alert: one label set for which a rule's expression holds, from pending to resolved."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

AlertState = Literal["pending", "firing", "resolved"]
Severity = Literal["critical", "high", "medium", "low", "none"]
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low", "none")
"""Worst first. `none` is for alerts that are meant to fire, such as Watchdog."""

LAST_SECOND: Final = 253_402_300_800.0
"""The end of the year 9999: no later time can be written."""
_OFFSET: Final = 14695981039346656037
_PRIME: Final = 1099511628211
_WRAP: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it stands. Times are seconds since 1970, by the evaluator's clock.

    Attributes:
        labels: all of them, `alertname` and `severity` among them, as Prometheus would send them.
        annotations: with their templates filled in at the last evaluation.
        value: of the expression at the last evaluation at which it held.
        active_at: since when the expression holds; the start of `for`.
        fired_at: since when it fires, `None` while pending.
        resolved_at: since when it does no more, `None` before.
        keep_firing_since: since when only `keep_firing_for` keeps it firing, else `None`.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    value: float
    state: AlertState
    active_at: float
    fired_at: float | None = None
    resolved_at: float | None = None
    keep_firing_since: float | None = None

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.labels["alertname"]

    @property
    def severity(self) -> Severity:
        """`high` where the rule says none of ours, as Alertmanager routes it: such an alert is told, never lost."""
        return next((each for each in SEVERITIES if each == self.labels.get("severity")), "high")

    @property
    def since(self) -> float:
        """When it began to fire, or to be expected to."""
        return self.active_at if self.fired_at is None else self.fired_at

    @property
    def fingerprint(self) -> str:
        """What Alertmanager calls it: 16 hexadecimal digits."""
        return fingerprint(self.labels)


def alert_to_json(alert: Alert) -> dict[str, Any]:
    """As JSON knows it: a value that is no number becomes a text."""
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


def alert_from_json(data: Any) -> Alert:
    """What `alert_to_json` gave.

    Raises:
        ValueError: it is something else.
    """
    try:
        state = next(state for state in get_args(AlertState) if state == data["state"])
        labels = {str(name): str(value) for name, value in data["labels"].items()}
        annotations = {str(name): str(value) for name, value in data["annotations"].items()}
        moments = [data.get(name) for name in ("fired_at", "resolved_at", "keep_firing_since")]
        alert = Alert(
            labels,
            annotations,
            float(data["value"]),
            state,
            float(data["active_at"]),
            *(None if moment is None else float(moment) for moment in moments),
        )
    except (KeyError, TypeError, AttributeError, ValueError, StopIteration) as error:
        raise ValueError(f"no alert: {type(error).__name__}: {error}") from None
    times = (alert.active_at, alert.fired_at, alert.resolved_at, alert.keep_firing_since)
    if "alertname" not in labels or not all(0 <= (time or 0.0) < LAST_SECOND for time in times):
        raise ValueError("no alert: no name, or an impossible time")
    return alert


def fingerprint(labels: Mapping[str, str]) -> str:
    """FNV-1a over the sorted labels, each name and value ended by the byte 255, as Prometheus' common library does."""
    hashed = _OFFSET
    for name, value in sorted(labels.items()):
        for byte in b"%s\xff%s\xff" % (name.encode(), value.encode()):
            hashed = ((hashed ^ byte) * _PRIME) & _WRAP
    return f"{hashed:016x}"
