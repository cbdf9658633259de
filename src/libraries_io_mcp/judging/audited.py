"""What an audit says of one dependency: its findings by documented rules, with the evidence, and what is unknown."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal

from libraries_io_mcp.answer.model import Part
from libraries_io_mcp.judging.licence_text import licence_text
from libraries_io_mcp.judging.ranges import is_later, read_range, takes
from libraries_io_mcp.librariesio.models import CheckedProject, CheckedVersion
from libraries_io_mcp.manifests import Declared, Piece

Finding = Literal[
    "removed", "deprecated", "unmaintained", "license", "outdated", "stale", "missing", "unread", "unasked"
]
SEVERITY: Final[tuple[Finding, ...]] = (
    "removed", "deprecated", "unmaintained", "license", "missing", "outdated", "stale", "unasked", "unread",
)  # fmt: skip
"""The order of a report: what needs somebody to act first."""
STALE_DAYS: Final = 730
VERSIONS_TRIED: Final = 300
Unknown = Literal["outdated", "license"]


class AuditLine(Part):
    """One dependency, or one piece of the manifest that could not be read."""

    platform: str | None
    name: str
    declared: str | None
    kind: str | None
    line: int | None
    newest: str | None
    license: str | None
    findings: tuple[str, ...]
    why: tuple[str, ...]
    unknown: tuple[str, ...]

    def text(self) -> str:
        """The line as text."""
        place = f" (line {self.line})" if self.line else ""
        words = ", ".join(self.findings).upper() or ("unknown in part" if self.unknown else "nothing found")
        unknown = f" [unknown: {', '.join(self.unknown)}]" if self.unknown else ""
        return f"{self.name} {self.declared or ''}{place}: {words}. {'; '.join(self.why)}{unknown}"


LicenceVerdict = Callable[[str], str | None]
"""The reason why a licence does not fit, or `None` if it does."""


def audit_line(
    declared: Declared, project: CheckedProject, as_of: datetime, licence_verdict: LicenceVerdict
) -> AuditLine:
    """The judgement about one dependency that Libraries.io knows."""
    found: dict[Finding, str] = {}
    unknown: list[Unknown] = []
    found |= status_findings(project)
    found |= version_findings(declared, project)
    behind, why = freshness(declared, project)
    if behind:
        found["outdated"] = why
    elif behind is None:
        unknown.append("outdated")
    found |= _stale(project, as_of)
    licence = licence_text(project)
    reason = licence_verdict(licence) if licence else None
    if licence is None:
        unknown.append("license")
    elif reason:
        found["license"] = reason
    return AuditLine(
        platform=declared.platform,
        name=declared.name,
        declared=declared.requirement or declared.version,
        kind=declared.kind,
        line=declared.line,
        newest=project.latest_stable_release_number,
        license=licence,
        findings=tuple(sorted(found, key=SEVERITY.index)),
        why=tuple([found[word] for word in SEVERITY if word in found] + ([why] if behind is None else [])),
        unknown=tuple(unknown),
    )


def bare_line(declared: Declared, finding: Finding, why: str) -> AuditLine:
    """The line of a dependency of which nothing is known."""
    return AuditLine(
        platform=declared.platform,
        name=declared.name,
        declared=declared.requirement or declared.version,
        kind=declared.kind,
        line=declared.line,
        newest=None,
        license=None,
        findings=(finding,),
        why=(why,),
        unknown=("outdated", "license"),
    )


def unread_line(unread: Piece) -> AuditLine:
    """The line of a piece that names no package which could be asked about."""
    return AuditLine(
        platform=None,
        name=unread.text,
        declared=None,
        kind=None,
        line=unread.line,
        newest=None,
        license=None,
        findings=("unread",),
        why=(unread.reason,),
        unknown=(),
    )


def status_findings(project: CheckedProject) -> dict[Finding, str]:
    """What the statuses of package and repository say."""
    found: dict[Finding, str] = {}
    reason = f": {project.deprecation_reason}" if project.deprecation_reason else ""
    if project.status == "Removed":
        found["removed"] = "removed from its platform"
    if project.status == "Deprecated":
        found["deprecated"] = f"marked deprecated{reason}"
    if project.status == "Unmaintained":
        found["unmaintained"] = "marked unmaintained"
    elif project.repository_status in {"Unmaintained", "Deprecated", "Removed"}:
        found["unmaintained"] = f"its repository is marked {project.repository_status.lower()}"
    return found


def version_findings(declared: Declared, project: CheckedProject) -> dict[Finding, str]:
    """What is said of the very version that is pinned or locked."""
    version = _version(declared, project)
    if version is None or version.status not in {"Removed", "Deprecated"}:
        return {}
    finding: Finding = "removed" if version.status == "Removed" else "deprecated"
    return {finding: f"version {version.number} is marked {version.status.lower()}"}


def freshness(declared: Declared, project: CheckedProject) -> tuple[bool | None, str]:
    """Whether the declared version or range leaves out the newest stable version, and how that was found."""
    newest = project.latest_stable_release_number
    if newest is None:
        return None, "no stable version is known"
    if declared.version is not None:
        later = is_later(declared.platform, newest, declared.version)
        return later, f"{_dated(declared, project)} is {'behind' if later else 'not comparable with'} {newest}"
    if declared.requirement is None:
        return False, "any version will do"
    return _range_freshness(declared, declared.requirement, newest, project)


def _range_freshness(
    declared: Declared, requirement: str, newest: str, project: CheckedProject
) -> tuple[bool | None, str]:
    """The same for a range. One without any known version in it is no proof of being old: unknown."""
    range_ = read_range(declared.platform, requirement)
    inside = takes(range_, newest) if range_ else None
    if range_ is None or inside is None:
        return None, f"the range can't be read for {declared.platform}"
    if inside:
        return False, "the range takes the newest in"
    numbers = (version.number for version in (project.versions or ())[-VERSIONS_TRIED:])
    if any(takes(range_, number) and is_later(declared.platform, newest, number) for number in numbers):
        return True, f"the range leaves out {newest}"
    return None, f"the range leaves out {newest}, and no older version that is known is in it"


def _stale(project: CheckedProject, as_of: datetime) -> dict[Finding, str]:
    last = project.latest_release_published_at
    if last is None or (as_of - last).days <= STALE_DAYS:
        return {}
    return {"stale": f"last release {last:%Y-%m-%d}, over {STALE_DAYS} days ago"}


def _dated(declared: Declared, project: CheckedProject) -> str:
    version = _version(declared, project)
    if version is None:
        return f"{declared.version} (not among the known versions)"
    return f"{version.number} of {version.published_at:%Y-%m-%d}" if version.published_at else version.number


def _version(declared: Declared, project: CheckedProject) -> CheckedVersion | None:
    if declared.version is None:
        return None
    wanted = declared.version.removeprefix("v")
    return next((version for version in project.versions or () if version.number.removeprefix("v") == wanted), None)
