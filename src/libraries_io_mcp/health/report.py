"""The report: what every check found last, the whole of it as one status, and the score."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from libraries_io_mcp.health.check import STATUS_VALUE, Outcome, Status
from libraries_io_mcp.telemetry.semconv import HealthCheck

POINTS: Final[dict[Status, float]] = {"healthy": 100.0, "degraded": 50.0, "unhealthy": 0.0}
"""What a check adds to the score. One whose status is unknown is left out of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found last. Times are seconds; `checked_at` is since 1970. `None`: it was not looked at yet."""

    name: HealthCheck
    critical: bool
    outcome: Outcome
    response_time: float | None = None
    checked_at: float | None = None
    age: float | None = None

    @property
    def status(self) -> Status:
        """The status alone."""
        return self.outcome.status

    def facts(self) -> dict[str, Any]:
        """The finding as JSON has it."""
        return {
            "status": self.outcome.status,
            "critical": self.critical,
            "response_time_seconds": _rounded(self.response_time, 6),
            "checked_at": _rounded(self.checked_at, 3),
            "age_seconds": _rounded(self.age, 3),
            "error": self.outcome.error,
            "details": dict(self.outcome.details),
            "what_to_do": self.outcome.what_to_do,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one moment."""

    findings: tuple[Finding, ...]
    about: Mapping[str, Any]
    """Which server it is: `version`, `uptime_seconds`, `instance_id`."""
    leaving: bool = False
    """It is about to end: whoever balances should ask another one."""

    @property
    def status(self) -> Status:
        """Unhealthy when something critical is; degraded when anything is not well; unknown while that is critical."""
        statuses = {finding.status for finding in self.findings}
        critical = {finding.status for finding in self.findings if finding.critical}
        if "unhealthy" in critical:
            return "unhealthy"
        if statuses & {"degraded", "unhealthy"}:
            return "degraded"
        return "healthy" if statuses - {"unknown"} and "unknown" not in critical else "unknown"

    @property
    def score(self) -> float | None:
        """From 0 to 100: the mean of what is known; `None` while nothing is."""
        return score(finding.status for finding in self.findings)

    @property
    def ready(self) -> bool:
        """Whether requests should be sent here: it stays, all that is critical was looked at, nothing is unhealthy."""
        looked_at = all(finding.checked_at is not None for finding in self.findings if finding.critical)
        return looked_at and self.status != "unhealthy" and not self.leaving

    def counts(self) -> dict[Status, int]:
        """How many checks have each status."""
        found = Counter(finding.status for finding in self.findings)
        return {status: found[status] for status in STATUS_VALUE}

    def values(self) -> tuple[dict[HealthCheck, float], float | None]:
        """The report as metrics have it: a value for each check, and the score."""
        return {finding.name: STATUS_VALUE[finding.status] for finding in self.findings}, self.score

    def facts(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "status": self.status,
            "score": self.score,
            **self.about,
            "checks": {finding.name: finding.facts() for finding in self.findings},
        }


def score(statuses: Iterable[Status]) -> float | None:
    """The mean of 100 for healthy, 50 for degraded, 0 for unhealthy; unknown ones are left out."""
    points = [POINTS[status] for status in statuses if status in POINTS]
    return round(sum(points) / len(points), 1) if points else None


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)
