"""A tool that puts packages side by side."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from libraries_io_mcp.answer import ListAnswer, Part, Provenance, Tools, shown
from libraries_io_mcp.answer.arguments import AskedName, find_platform
from libraries_io_mcp.answer.model import lines, short
from libraries_io_mcp.judging.licence_text import licence_text
from libraries_io_mcp.judging.lookup import Found, look_up
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import CheckedProject

GUIDE = "Choose: compare_packages puts up to 10 side by side in one request."
MOST: Final = 10
YEAR_DAYS: Final = 365


class NamedPackage(BaseModel):
    # One package of a list. No docstring: it would be part of the tool's schema, and says nothing there.

    model_config = ConfigDict(frozen=True, extra="forbid")

    platform: Annotated[AskedName, Field(max_length=100, description="e.g. npm, pypi.")]
    name: Annotated[AskedName, Field(max_length=500, description="As its platform writes it.")]


class ComparedPackage(Part):
    """One row; all columns are null when the package was not found."""

    platform: str
    name: str
    found: bool
    note: str | None = None
    status: str | None = None
    license: str | None = None
    latest_stable: str | None = None
    latest_stable_published_at: str | None = None
    releases_in_last_year: int | None = None
    versions_count: int | None = None
    dependents_count: int | None = None
    dependent_repos_count: int | None = None
    stars: int | None = None
    rank: int | None = None
    repository_url: str | None = None
    repository_status: str | None = None
    description: str | None = None

    def text(self) -> str:
        """The row as text."""
        if not self.found:
            return f"{self.platform}/{self.name}: {self.note}"
        return (
            f"{self.platform}/{self.name}: {self.status or 'no unusual status'}; {self.license or 'licence unknown'}; "
            f"{self.latest_stable or 'no stable version'} of {self.latest_stable_published_at or 'unknown date'}; "
            f"{shown(self.releases_in_last_year)} releases in a year; {shown(self.dependents_count)} dependents; "
            f"{shown(self.stars)} stars; SourceRank {shown(self.rank)}"
        )


class ComparisonAnswer(ListAnswer):
    """Packages side by side."""

    listed = "packages"

    packages: tuple[ComparedPackage, ...]
    missing: tuple[str, ...]

    def text(self) -> str:
        """One line a package."""
        missing = f"Not known to Libraries.io: {', '.join(self.missing)}" if self.missing else None
        return lines(missing, then=(row.text() for row in self.packages))


async def compare_packages(
    client: LibrariesIOClient,
    packages: Annotated[
        list[NamedPackage],
        Field(min_length=1, max_length=MOST, description="Which ones."),
    ],
) -> ComparisonAnswer:
    """The same facts about up to 10 packages, of any platforms, one row each in the order asked.

    Facts only: weigh them yourself. Needs an API key; costs one request for all.
    """
    wanted = [(await find_platform(client, package.platform), package.name) for package in packages]
    found = await look_up(client, wanted)
    rows = [_row(found, platform, name) for platform, name in wanted]
    return ComparisonAnswer(
        # Two spellings of one package are one row.
        packages=tuple({(row.platform, row.name): row for row in rows}.values()),
        missing=tuple(f"{platform}/{name}" for platform, name in found.missing),
        provenance=Provenance.of(client, *found.replies),
    )


def _row(found: Found, platform: str, name: str) -> ComparedPackage:
    project = found.projects.get((platform, name))
    if project is None:
        note = found.unasked.get((platform, name), "not known to Libraries.io")
        return ComparedPackage(platform=platform, name=name, found=False, note=note)
    published = project.latest_stable_release_published_at
    return ComparedPackage(
        platform=project.platform,
        name=project.canonical_name or project.name,
        found=True,
        status=project.status,
        license=licence_text(project),
        latest_stable=project.latest_stable_release_number,
        latest_stable_published_at=f"{published:%Y-%m-%d}" if published else None,
        releases_in_last_year=_recent(found, project),
        versions_count=len(project.versions or ()) or None,
        dependents_count=project.dependents_count,
        dependent_repos_count=project.dependent_repos_count,
        stars=project.known_stars,
        rank=project.rank,
        repository_url=project.repository_url or None,
        repository_status=project.repository_status,
        description=short(project.description, 200),
    )


def _recent(found: Found, project: CheckedProject) -> int | None:
    """Releases in the year before the answer was given; `None` without a single date."""
    dates = [version.published_at for version in project.versions or () if version.published_at]
    return sum((found.as_of() - date).days < YEAR_DAYS for date in dates) if dates else None


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add("Comparison", compare_packages)
