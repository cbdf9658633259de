"""Which alert makes which others unnecessary: declared here for the server's own channels and for Alertmanager.

`make docs` writes them into `otel/alertmanager.yml`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from libraries_io_mcp.alerting.alert import Alert

Matchers = Mapping[str, tuple[str, ...]]
"""Labels, each with the values that match."""

REPEAT_SECONDS: Final[Mapping[str, float]] = {
    "critical": 3_600.0,
    "high": 14_400.0,
    "medium": 43_200.0,
    "low": 259_200.0,
}
"""After so long people are reminded of what still fires, as by the `repeat_interval`s of `otel/alertmanager.yml`."""

UPSTREAM_DOWN: Final = "UpstreamDown"


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert matches `sources`, those that match `targets` are not told.

    Attributes:
        equal: labels that both must have alike.
        cause: the name of the alert that people must have been told of; `None` for the source itself.
    """

    sources: Matchers
    targets: Matchers
    equal: tuple[str, ...]
    cause: str | None = None

    def mutes(self, source: Alert, target: Alert) -> bool:
        """Whether the one makes the other unnecessary."""
        return (
            source is not target
            and _match(self.sources, source)
            and _match(self.targets, target)
            and all(source.labels.get(name, "") == target.labels.get(name, "") for name in self.equal)
        )

    def to_yaml(self) -> str:
        """As an entry of Alertmanager's `inhibit_rules`."""
        return (
            f"  - source_matchers: [{_rendered(self.sources)}]\n"
            f"    target_matchers: [{_rendered(self.targets)}]\n"
            f"    equal: [{', '.join(self.equal)}]\n"
        )


_UPSTREAM_OUTAGE: Final[Matchers] = {"alertname": (UPSTREAM_DOWN, "UpstreamAftermath")}
INHIBITIONS: Final = (
    # A critical alert says more than a milder one about the same thing.
    Inhibition({"severity": ("critical",)}, {"severity": ("high", "medium", "low")}, ("service_name", "slo")),
    # When Libraries.io is away, all of this follows.
    Inhibition(
        _UPSTREAM_OUTAGE,
        {
            "alertname": (
                "HighErrorRate",
                "LowSuccessRate",
                "HighResponseTime",
                "ErrorBudgetBurnFast",
                "ErrorBudgetBurnSlow",
                "UpstreamSlow",
                "BreakerOpen",
                "QuotaNearlyUsedUp",
                "QuotaExhausted",
            )
        },
        ("service_name",),
        UPSTREAM_DOWN,
    ),
    Inhibition(
        _UPSTREAM_OUTAGE,
        {"alertname": ("HealthCheckUnhealthy",), "health_check_name": ("api_connectivity", "upstream_breaker")},
        ("service_name",),
        UPSTREAM_DOWN,
    ),
    # The half hour that this one looks at goes on for longer.
    Inhibition(
        {"alertname": ("UpstreamAftermathLong",)},
        {"alertname": ("ErrorBudgetBurnSlow",)},
        ("service_name",),
        UPSTREAM_DOWN,
    ),
)


CAUSES: Final = frozenset(inhibition.cause for inhibition in INHIBITIONS if inhibition.cause is not None)
"""Names of the alerts that are told before all others: they may make those unnecessary."""


def muted(alert: Alert, firing: Iterable[Alert], told: Iterable[Alert]) -> bool:
    """Whether another alert that fires makes this one unnecessary, and people know of that one or of its cause.

    Args:
        told: what people know to fire, or knew of late.
    """
    known = list(told)
    fingerprints = {other.fingerprint for other in known}
    return any(
        inhibition.mutes(source, alert)
        and (
            source.fingerprint in fingerprints
            if inhibition.cause is None or source.name == inhibition.cause
            else any(_is_cause(other, inhibition, alert) for other in known)
        )
        for source in firing
        for inhibition in INHIBITIONS
    )


def _is_cause(other: Alert, inhibition: Inhibition, target: Alert) -> bool:
    return other.name == inhibition.cause and all(
        other.labels.get(name, "") == target.labels.get(name, "") for name in inhibition.equal
    )


def _match(matchers: Matchers, alert: Alert) -> bool:
    return all(alert.labels.get(name, "") in values for name, values in matchers.items())


def _rendered(matchers: Matchers) -> str:
    return ", ".join(
        f'{name}="{values[0]}"' if len(values) == 1 else f'{name}=~"{"|".join(values)}"'
        for name, values in matchers.items()
    )
