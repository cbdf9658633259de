"""The health of a package as signals: each a fact, what the rule says of it, and nothing added up beyond a count."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Annotated, Final, Literal

from pydantic import Field

from libraries_io_mcp.answer.arguments import missing_data_note
from libraries_io_mcp.answer.model import Part, shown
from libraries_io_mcp.judging.licence_text import licence_text
from libraries_io_mcp.librariesio.models import Project, Sourcerank
from libraries_io_mcp.librariesio.repository_models import Repository
from libraries_io_mcp.licences import read_licence

Says = Literal["good", "concern", "neutral"]
Judged = tuple[Says, str] | None
"""What a rule says and the evidence; `None` when there is nothing to judge by."""

FRESH_DAYS: Final = 365
OLD_DAYS: Final = 730
RHYTHM_RELEASES: Final = 10
ORDINARY: Final = (None, "Active")
VULNERABILITIES: Final = (
    "Not checked: Libraries.io has no vulnerability data. Look the package up at https://osv.dev or "
    "https://github.com/advisories, or run its ecosystem's own audit (pip-audit, npm audit, cargo audit, govulncheck)."
)


class HealthSignal(Part):
    """One signal."""

    name: str
    says: Annotated[str, Field(description="good, concern or neutral.")]
    evidence: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the signals are read from; `None` for what could not be had. Ages are reckoned to `as_of`."""

    project: Project
    rank: Sourcerank | None
    repository: Repository | None
    as_of: datetime


def read_signals(facts: Facts) -> tuple[tuple[HealthSignal, ...], tuple[str, ...]]:
    """The signals in a fixed order, and the names of those for which there is no data."""
    known: list[HealthSignal] = []
    unknown: list[str] = []
    for name, rule in RULES.items():
        judged = rule(facts)
        if judged is None:
            unknown.append(name)
        else:
            known.append(HealthSignal(name=name, says=judged[0], evidence=judged[1]))
    return tuple(known), tuple(unknown)


def release_days(facts: Facts) -> list[datetime]:
    """When versions were published, newest first."""
    dates = (version.published_at for version in facts.project.versions or ())
    return sorted((date for date in dates if date is not None), reverse=True)


def _status(facts: Facts) -> Judged:
    status, reason = facts.project.status, facts.project.deprecation_reason
    if status in ORDINARY:
        return "good", f"status {status}" if status else "no unusual status is recorded"
    return "concern", f"status {status}{f': {reason}' if reason else ''}"


def _last_release(facts: Facts) -> Judged:
    days = release_days(facts)
    last = facts.project.latest_release_published_at or (days[0] if days else None)
    return None if last is None else _by_age("last release", last, facts.as_of)


def _release_rhythm(facts: Facts) -> Judged:
    days = release_days(facts)[:RHYTHM_RELEASES]
    if len(days) < 3:
        return None
    usual = median((later - earlier).days for later, earlier in pairwise(days))
    since = (facts.as_of - days[0]).days
    times = f", {since / usual:.1f} times that" if usual else ""
    return "neutral", f"median gap of the last {len(days)} releases: {usual:.0f} days; {since} days since{times}"


def _stable_version(facts: Facts) -> Judged:
    stable = facts.project.latest_stable_release_number
    if stable:
        return "good", f"newest stable version {stable}"
    newest = facts.project.latest_release_number
    return ("concern", f"only pre-releases; newest {newest}") if newest else None


def _repository_status(facts: Facts) -> Judged:
    repository = facts.repository
    status = (repository.status if repository else None) or facts.project.repository_status
    if status not in ORDINARY:
        return "concern", f"repository status {status}"
    if repository is None:
        return None
    return "good", f"{repository.full_name}: no unusual status; Libraries.io does not tell whether it is archived"


def _repository_activity(facts: Facts) -> Judged:
    repository = facts.repository
    if repository is None or repository.pushed_at is None:
        return None
    says, evidence = _by_age("last push", repository.pushed_at, facts.as_of)
    seen = repository.last_synced_at
    return says, f"{evidence}; repository last seen {seen:%Y-%m-%d}" if seen else evidence


def _licence(facts: Facts) -> Judged:
    text = licence_text(facts.project)
    if text is None:
        return None
    reading = read_licence(text)
    if reading.read_as is None or reading.unknown:
        return "concern", f"{text}: {reading.note or 'no known terms'}"
    return "good", f"licence {reading.read_as}"


def _security_policy(facts: Facts) -> Judged:
    url = facts.project.security_policy_url or (facts.repository.security_policy_url if facts.repository else None)
    return ("good", url) if url else None


def _contributors(facts: Facts) -> Judged:
    count = facts.project.contributions_count
    if not facts.project.repository_url or not count:
        return None
    return ("concern" if count == 1 else "good" if count >= 5 else "neutral"), f"{count} (good from 5, concern: 1)"


def _dependents(facts: Facts) -> Judged:
    project = facts.project
    packages, repositories = project.dependents_count, project.dependent_repos_count
    if packages is None and repositories is None:
        return None
    return "neutral", f"used by packages: {shown(packages)}, by repositories: {shown(repositories)}"


def _outdated_dependencies(facts: Facts) -> Judged:
    """The service says 0 of a package of which it knows no dependencies, too."""
    known = facts.project.versions and missing_data_note(facts.project.platform) is None
    if facts.rank is None or facts.rank.any_outdated_dependencies is None or not known:
        return None
    if facts.rank.any_outdated_dependencies:
        return "concern", "SourceRank: its newest version needs outdated packages"
    return "good", "SourceRank: no outdated dependency is known"


def _sourcerank(facts: Facts) -> Judged:
    if facts.rank is None:
        return None
    points: dict[str, int | None] = facts.rank.model_dump()
    known = [value for value in points.values() if value is not None]
    parts = ", ".join(f"{name} {value:+d}" for name, value in points.items() if value)
    total = shown(max(sum(known), 0) if len(known) == len(points) else None)
    return "neutral", f"{total} = {parts or 'nothing'}; popularity and habits, not quality"


def _by_age(what: str, day: datetime, as_of: datetime) -> tuple[Says, str]:
    age = (as_of - day).days
    says: Says = "good" if age <= FRESH_DAYS else "concern" if age > OLD_DAYS else "neutral"
    return says, f"{what} {day:%Y-%m-%d}, {age} days ago (good up to {FRESH_DAYS}, concern over {OLD_DAYS})"


RULES: Final[dict[str, Callable[[Facts], Judged]]] = {
    "status": _status,
    "last_release": _last_release,
    "release_rhythm": _release_rhythm,
    "stable_version": _stable_version,
    "repository_status": _repository_status,
    "repository_activity": _repository_activity,
    "license": _licence,
    "security_policy": _security_policy,
    "contributors": _contributors,
    "dependents": _dependents,
    "outdated_dependencies": _outdated_dependencies,
    "sourcerank": _sourcerank,
}


def counted(signals: Iterable[HealthSignal], says: Says) -> int:
    """How many signals say that."""
    return sum(signal.says == says for signal in signals)
