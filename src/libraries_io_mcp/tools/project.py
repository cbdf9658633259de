"""Tools about a whole project: its manifest read, all its dependencies looked up in bulk and judged."""

from typing import Annotated, Any, Final, Self

from fastmcp import Context
from pydantic import BaseModel, Field, field_validator

from libraries_io_mcp.answer import ListAnswer, LongAnswer, Provenance, SourcedAnswer, Tools
from libraries_io_mcp.answer.model import LONGEST_TEXT, lines
from libraries_io_mcp.judging.audit import WAIT_SECONDS, Audit, NeededPackage, Project, audit
from libraries_io_mcp.judging.audited import AuditLine
from libraries_io_mcp.judging.progress import Progress
from libraries_io_mcp.judging.report import Report, report
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.licences import UseCase

GUIDE = (
    "A project: audit_dependencies reads a manifest (requirements.txt, package.json, Cargo.toml, go.mod, pom.xml ...) "
    "and judges all of it; generate_dependency_report writes that up for a pull request."
)
MISSING_SHOWN: Final = 40

ManifestText = Annotated[str, Field(description="Unchanged text, up to 10 MB.")]
FileName = Annotated[str, Field(max_length=300, description="Tells the format.")]
Packages = Annotated[list[NeededPackage], Field(max_length=1_000, description="Instead of a manifest.")]
Use = Annotated[UseCase, Field(description="Judge licences for it.")]
OwnLicence = Annotated[str, Field(max_length=LONGEST_TEXT, description="Judge licences against it.")]


class AuditAnswer(ListAnswer):
    """What is to be known about a project's dependencies."""

    listed = "dependencies"

    format: str
    counts: dict[str, int]
    missing: Annotated[tuple[str, ...], Field(description="Not at Libraries.io; the first 40.")]
    dependencies: tuple[AuditLine, ...]
    notes: tuple[str, ...]

    def text(self) -> str:
        """The counts, the notes, and one line a dependency."""
        counts = ", ".join(f"{count} {word}" for word, count in self.counts.items() if count)
        unnamed = self.counts["missing"] - len(self.missing)
        more = f" and {unnamed} more, each with a line of its own" if unnamed > 0 else ""
        missing = f"Not known to Libraries.io: {', '.join(self.missing)}{more}" if self.missing else None
        head = f"{self.format}: {counts or 'nothing found'}"
        return lines(head, missing, *self.notes, then=(line.text() for line in self.dependencies))


class ReportRow(BaseModel):
    """A line of a table of the report."""

    line: str


class ReportAnswer(LongAnswer, SourcedAnswer):
    """A report to paste."""

    report: Annotated[Report, Field(exclude=True)]
    markdown: str

    @classmethod
    def of(cls, report: Report, provenance: Provenance) -> Self:
        """All of a report."""
        return cls(report=report, markdown=report.markdown(0, len(report.rows)), provenance=provenance)

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        # The report is our own text, of many lines; what is foreign in it was made plain when it was written.
        return value

    def items(self) -> tuple[BaseModel, ...]:
        """The rows of its tables."""
        return tuple(ReportRow(line=row) for row in self.report.rows)

    def part(self, start: int, end: int) -> Self:
        """The report with these rows only."""
        return self.model_copy(update={"markdown": self.report.markdown(start, end)})

    def text(self) -> str:
        """The report itself."""
        return self.markdown


async def audit_dependencies(
    client: LibrariesIOClient,
    context: Context,
    manifest: ManifestText | None = None,
    filename: FileName | None = None,
    packages: Packages | None = None,
    use_case: Use | None = None,
    project_license: OwnLicence | None = None,
    include_all: Annotated[bool, Field(description="Fine ones too.")] = False,
) -> AuditAnswer:
    """Findings on all dependencies of a manifest: removed, deprecated, unmaintained, license, outdated, stale, missing.

    outdated: a newer stable version than the one declared, or outside its range. stale: no release for two years.
    What can't be compared is unknown, no pass. Needs an API key; one request for each 100 packages, at most 20.
    """
    project = Project(manifest, filename, tuple(packages or ()), use_case, project_license)
    audited = await _audited(client, context, project)
    shown = [line for line in audited.lines if include_all or line.findings or line.unknown]
    return AuditAnswer(
        format=audited.kind,
        counts=audited.counts(),
        missing=audited.missing[:MISSING_SHOWN],
        dependencies=tuple(shown),
        notes=audited.notes,
        provenance=Provenance.of(client, *audited.found.replies),
    )


async def generate_dependency_report(
    client: LibrariesIOClient,
    context: Context,
    manifest: ManifestText | None = None,
    filename: FileName | None = None,
    packages: Packages | None = None,
    use_case: Use | None = None,
    project_license: OwnLicence | None = None,
) -> ReportAnswer:
    """The outcome of audit_dependencies as Markdown for a pull request, in parts if long. Pass it on unchanged.

    Costs what audit_dependencies does, nothing right after it.
    """
    project = Project(manifest, filename, tuple(packages or ()), use_case, project_license)
    audited = await _audited(client, context, project)
    return ReportAnswer.of(report(audited, filename), Provenance.of(client, *audited.found.replies))


async def _audited(client: LibrariesIOClient, context: Context, project: Project) -> Audit:
    """The audit, asked as a batch, so that a tenth of the quota is left for questions that somebody waits for."""
    async with Progress(context) as progress:
        batch = client.asking(timeout_seconds=WAIT_SECONDS, priority="batch", on_wait=progress.waiting)
        return await audit(batch, project, progress)


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add("Audit", audit_dependencies)
    tools.add("Dependency report", generate_dependency_report)
