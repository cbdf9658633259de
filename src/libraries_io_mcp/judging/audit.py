"""The audit of a project: what it declares, looked up in bulk, judged line by line."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from libraries_io_mcp.answer.arguments import AskedName, find_platform
from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.judging.audited import (
    SEVERITY,
    AuditLine,
    LicenceVerdict,
    audit_line,
    bare_line,
    unread_line,
)
from libraries_io_mcp.judging.lookup import Found, look_up
from libraries_io_mcp.judging.progress import Progress
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.licences import NOT_LEGAL_ADVICE, UseCase, check_own_licence, compatibility
from libraries_io_mcp.manifests import Declared, Manifest, read_manifest

MOST_PACKAGES: Final = 2_000
"""Different packages of one audit: 20 requests, a third of a minute's quota. Packages of npm with 60 versions each take
some 160 MB of memory then."""
MOST_REASONS: Final = 5
WAIT_SECONDS: Final = 150.0
"""For one request, with two windows of the quota spent in the waiting line."""
_RANGE_SIGNS: Final = frozenset(" ,<>=~^*|[(")


class NeededPackage(BaseModel):
    # One dependency that is given without a manifest. No docstring: it would be part of every schema that names it.

    model_config = ConfigDict(frozen=True, extra="forbid")

    platform: Annotated[AskedName, Field(max_length=100, description="e.g. npm, pypi.")]
    name: Annotated[AskedName, Field(max_length=500, description="As its platform writes it.")]
    requirement: Annotated[str, Field(max_length=200, description="Range or exact version.")] = ""


@dataclass(frozen=True, slots=True)
class Project:
    """What is to be audited, as a client gives it: a manifest's text, or a list of packages."""

    manifest: str | None = None
    filename: str | None = None
    packages: Sequence[NeededPackage] = ()
    use_case: UseCase | None = None
    project_licence: str | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """The outcome.

    Attributes:
        kind: the format of the manifest, or "packages".
        lines: worst first, then what could not be judged, those without a finding last.
        missing: names that Libraries.io does not know.
        notes: what else a reader has to know.
        found: the lookup behind it.
    """

    kind: str
    lines: tuple[AuditLine, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    found: Found

    def counts(self) -> dict[str, int]:
        """How many lines have each finding, and how many none.

        `nothing_found`: all could be judged. `partly_unknown`: not all. `unknown_*`: what could not, of all lines.
        """
        counted: Counter[str] = Counter(finding for line in self.lines for finding in line.findings)
        unknown: Counter[str] = Counter(word for line in self.lines for word in line.unknown)
        return {
            **{finding: counted[finding] for finding in SEVERITY},
            "nothing_found": sum(not line.findings and not line.unknown for line in self.lines),
            "partly_unknown": sum(not line.findings and bool(line.unknown) for line in self.lines),
            "unknown_outdated": unknown["outdated"],
            "unknown_license": unknown["license"],
        }


async def audit(client: LibrariesIOClient, project: Project, progress: Progress) -> Audit:
    """Read, look up in pieces of 100, and judge.

    Raises:
        InvalidRequestError: neither or both of manifest and packages, no package in it, too many, or a licence of
            the project that nothing can be judged against.
        CallError: nothing could be learnt from Libraries.io.
    """
    verdict = licence_verdict(project)
    manifest = await declared_by(client, project)
    packages = manifest.packages
    if not packages:
        reasons = "; ".join(f"{one.text}: {one.reason}" for one in (manifest.unread or manifest.noted)[:3])
        raise InvalidRequestError(
            f"This {manifest.kind} declares no package that could be looked up. {reasons}".strip()
        )
    wanted = list(dict.fromkeys((package.platform, package.name) for package in packages))
    progress.begin(len(wanted[:MOST_PACKAGES]))
    found = await look_up(client, wanted[:MOST_PACKAGES], progress.done)
    found.give_up(wanted[MOST_PACKAGES:], f"only {MOST_PACKAGES} packages are looked up in one audit")
    return Audit(
        kind=manifest.kind,
        lines=await asyncio.to_thread(_lines, manifest, found, verdict),
        missing=tuple(f"{platform}/{name}" for platform, name in found.missing),
        notes=_notes(project, manifest),
        found=found,
    )


async def declared_by(client: LibrariesIOClient, project: Project) -> Manifest:
    """The dependencies, from whichever of the two was given.

    Raises:
        InvalidRequestError: none or both were given, or the manifest can't be read.
        NotFoundError: a package's platform does not exist.
    """
    if (project.manifest is None) == (not project.packages):
        raise InvalidRequestError("Give either `manifest` or `packages`.")
    if project.manifest is not None:
        # Megabytes take seconds, and others are being served.
        return await asyncio.to_thread(read_manifest, project.manifest, project.filename)
    return Manifest("packages", tuple([await _declared(client, package) for package in project.packages]), ())


def licence_verdict(project: Project) -> LicenceVerdict:
    """Judges each licence once; without a use case and a licence of the project, none is judged.

    Raises:
        InvalidRequestError: the terms of the project's own licence are not known.
    """
    use_case: UseCase = project.use_case or "link"
    if project.project_licence is not None:
        check_own_licence(project.project_licence)
    known: dict[str, str | None] = {}

    def verdict(text: str) -> str | None:
        if project.use_case is None and project.project_licence is None:
            return None
        if text not in known:
            known[text] = _misfit(text, use_case, project.project_licence)
        return known[text]

    return verdict


def _misfit(text: str, use_case: UseCase, project_licence: str | None) -> str | None:
    judged = compatibility([text], use_case, project_licence)
    if judged.verdict not in {"incompatible", "unknown"}:
        return None
    reasons = [line.reason for line in judged.licences if line.verdict == judged.verdict]
    reasons += [line.reason for line in judged.pairs if line.verdict == judged.verdict]
    return f"{text}: {judged.verdict} for {use_case}: {reasons[0] if reasons else 'no reason is known'}"


async def _declared(client: LibrariesIOClient, package: NeededPackage) -> Declared:
    platform = await find_platform(client, package.platform)
    requirement = package.requirement.strip()
    return Declared(platform, package.name, requirement=requirement or None, version=_pinned(platform, requirement))


def _pinned(platform: str, requirement: str) -> str | None:
    """The one version that a requirement names: behind an equals sign, or bare where that does not mean a range."""
    version = requirement.lstrip("=").strip()
    if not version or not version[0].isalnum() or set(version) & _RANGE_SIGNS:
        return None
    bare_range = platform == "Cargo" or (platform in {"NPM", "Pub"} and version.count(".") < 2)
    return None if bare_range and not requirement.startswith("=") else version


def _lines(manifest: Manifest, found: Found, verdict: LicenceVerdict) -> tuple[AuditLine, ...]:
    lines = [_judged(package, found, verdict) for package in manifest.packages]
    lines += [unread_line(one) for one in manifest.unread]
    return tuple(sorted(lines, key=_severity))


def _judged(declared: Declared, found: Found, verdict: LicenceVerdict) -> AuditLine:
    wanted = (declared.platform, declared.name)
    if wanted in found.projects:
        return audit_line(declared, found.projects[wanted], found.as_of(), verdict)
    if wanted in found.unasked:
        return bare_line(declared, "unasked", found.unasked[wanted])
    return bare_line(declared, "missing", "Libraries.io does not know it: a private package, or a misspelt name")


def _severity(line: AuditLine) -> int:
    if line.findings:
        return SEVERITY.index(line.findings[0])
    return len(SEVERITY) + (not line.unknown)


def _notes(project: Project, manifest: Manifest) -> tuple[str, ...]:
    notes = ["Vulnerabilities are not checked: Libraries.io has no such data."]
    if project.use_case is not None or project.project_licence is not None:
        notes.append(f"Licences were judged for {project.use_case or 'link'}. {NOT_LEGAL_ADVICE}")
    else:
        notes.append("Licences were not judged: give `use_case` or `project_license` for that.")
    if manifest.noted:
        reasons = Counter(piece.reason for piece in manifest.noted).most_common(MOST_REASONS)
        told = "; ".join(f"{reason} ({count})" for reason, count in reasons)
        notes.append(f"{len(manifest.noted)} entries are no dependencies: {told}.")
    if manifest.repeated:
        notes.append(f"{manifest.repeated} repeated entries are listed once.")
    if manifest.truncated is not None:
        cut = manifest.truncated
        notes.append(f"Too long: {cut.packages} further packages and {cut.unread} unread pieces are only counted.")
    return tuple(notes)
