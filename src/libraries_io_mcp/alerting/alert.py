"""An alert: one label set for which a rule's expression holds, from pending to resolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

AlertState = Literal["pending", "firing", "resolved"]
Severity = Literal["critical", "high", "medium", "low", "none"]
SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low", "none")
"""Worst first. `none` is for alerts that are meant to fire, such as Watchdog."""

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
    def fingerprint(self) -> str:
        """What Alertmanager calls it: 16 hexadecimal digits."""
        return fingerprint(self.labels)


def fingerprint(labels: Mapping[str, str]) -> str:
    """FNV-1a over the sorted labels, each name and value ended by the byte 255, as Prometheus' common library does."""
    hashed = _OFFSET
    for name, value in sorted(labels.items()):
        for byte in b"%s\xff%s\xff" % (name.encode(), value.encode()):
            hashed = ((hashed ^ byte) * _PRIME) & _WRAP
    return f"{hashed:016x}"
