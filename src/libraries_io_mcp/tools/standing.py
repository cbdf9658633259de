"""Tools about how a package stands with others: who depends on it, how it is ranked, who works on it."""

from typing import Annotated, Final

from pydantic import Field

from libraries_io_mcp.answer import CursorPage, PagedAnswer, Part, Provenance, SourcedAnswer, Tools, shown
from libraries_io_mcp.answer.arguments import PackageName, PerPage, PlatformName, find_platform
from libraries_io_mcp.answer.model import lines, more_pages
from libraries_io_mcp.answer.repositories import FoundRepository
from libraries_io_mcp.errors import AuthenticationError, CallError, QuotaExceededError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import Sourcerank

GUIDE = (
    "How it stands: get_package_dependents for how much it is used, get_sourcerank for what its rank is made of, "
    "get_package_contributors for who works on it."
)
PER_PAGE: Final = 30
SIGNALS: Final[dict[str, tuple[str, str]]] = {
    "basic_info_present": ("0 or 1", "has description, homepage or repository, and keywords"),
    "repository_present": ("0 or 1", "a source repository is known"),
    "readme_present": ("0 or 1", "the repository has a readme"),
    "license_present": ("0 or 1", "has a licence"),
    "versions_present": ("0 or 1", "has published versions"),
    "follows_semver": ("0 or 1", "its version numbers follow semantic versioning"),
    "recent_release": ("0 or 1", "published a version in the last six months"),
    "not_brand_new": ("0 or 1", "has existed for a while"),
    "one_point_oh": ("0 or 1", "has reached version 1.0.0"),
    "dependent_projects": ("0 and up", "2 x log10 of the packages that depend on it"),
    "dependent_repositories": ("0 and up", "log10 of the repositories that depend on it"),
    "stars": ("0 and up", "log10 of the repository's stars"),
    "contributors": ("0 and up", "half of log10 of the contributors"),
    "subscribers": ("0 and up", "half of log10 of those who watch it on Libraries.io"),
    "all_prereleases": ("0 or -2", "all its versions are pre-releases"),
    "any_outdated_dependencies": ("0 or -1", "its newest version depends on outdated packages"),
    "is_deprecated": ("0 or -5", "is marked deprecated"),
    "is_unmaintained": ("0 or -5", "is marked unmaintained"),
    "is_removed": ("0 or -5", "was removed from its platform"),
}
"""What each signal can give, and what for."""


class DependentsAnswer(PagedAnswer):
    """How much a package is used."""

    listed = "repositories"

    platform: str
    name: str
    dependents_count: int | None
    dependent_repos_count: int | None
    repositories: tuple[FoundRepository, ...]
    note: str

    def text(self) -> str:
        """The counts, why there is no list, and the repositories if they were asked for."""
        return lines(
            f"{self.platform}/{self.name}: {shown(self.dependents_count)} packages and "
            f"{shown(self.dependent_repos_count)} repositories depend on it.",
            self.note,
            then=(repository.text() for repository in self.repositories),
        )


class Signal(Part):
    """One part of the rank."""

    name: str
    points: int
    possible: str
    why: str


class SourcerankAnswer(SourcedAnswer):
    """What a package's SourceRank is made of."""

    platform: str
    name: str
    rank: Annotated[int | None, Field(description="Sum of points, at least 0; null: unknown.")]
    signals: tuple[Signal, ...]
    unknown: tuple[str, ...]

    def text(self) -> str:
        """One line a signal."""
        each = (f"{signal.points:+d} {signal.name}: {signal.why} ({signal.possible})" for signal in self.signals)
        unknown = f"Unknown: {', '.join(self.unknown)}" if self.unknown else None
        return lines(f"{self.platform}/{self.name}: SourceRank {shown(self.rank)}", unknown, then=each)


class Contributor(Part):
    """Somebody who contributed."""

    login: str | None
    name: str | None
    type: str | None
    host: str | None


class ContributorsAnswer(PagedAnswer):
    """Who contributed to a package's repository, most contributions first."""

    listed = "contributors"

    platform: str
    name: str
    contributors: tuple[Contributor, ...]
    note: str

    def text(self) -> str:
        """One line a person."""
        people = (f"{person.login}{f' ({person.name})' if person.name else ''}" for person in self.contributors)
        return lines(f"{self.platform}/{self.name}: contributors, page {self.page}", self.note, then=people)


async def get_package_dependents(
    client: LibrariesIOClient,
    platform: PlatformName,
    name: PackageName,
    repositories: Annotated[
        bool, Field(description="List repositories too: a second request, fails for popular packages.")
    ] = False,
    page: CursorPage = 1,
) -> DependentsAnswer:
    """How many packages and repositories depend on a package. Costs one request.

    Libraries.io has switched the list of dependent packages off; only their number is known.
    """
    project = await client.project(await find_platform(client, platform), name)
    off = client.dependents()
    listed, note = None, f"{off.reason} There is no list of dependent packages."
    if repositories:
        try:
            listed = await client.dependent_repositories(
                project.data.platform, project.data.name, page=page, per_page=PER_PAGE
            )
        except (AuthenticationError, QuotaExceededError):
            raise
        except CallError as error:
            note += f" The repositories could not be listed now ({error.error_type}); their number stands."
    found = tuple(FoundRepository.of(repository) for repository in listed.data) if listed else ()
    total = listed.total if listed else None
    return DependentsAnswer(
        platform=project.data.platform,
        name=project.data.name,
        dependents_count=project.data.dependents_count,
        dependent_repos_count=project.data.dependent_repos_count,
        repositories=found,
        page=page,
        per_page=PER_PAGE,
        total=total,
        has_more=listed is not None and more_pages(len(found), page, PER_PAGE, total),
        note=note,
        provenance=Provenance.of(client, project, *((listed,) if listed else ())),
    )


async def get_sourcerank(client: LibrariesIOClient, platform: PlatformName, name: PackageName) -> SourcerankAnswer:
    """What a package's SourceRank is made of: each signal with its points and why. Costs one request.

    The rank measures popularity and good habits, not quality or security.
    """
    stored = await find_platform(client, platform)
    reply = await client.sourcerank(stored, name)
    signals, unknown = signals_of(reply.data)
    return SourcerankAnswer(
        platform=reply.canonical_platform or stored,
        name=reply.canonical_name or name,
        rank=None if unknown else max(sum(signal.points for signal in signals), 0),
        signals=signals,
        unknown=unknown,
        provenance=Provenance.of(client, reply),
    )


def signals_of(rank: Sourcerank) -> tuple[tuple[Signal, ...], tuple[str, ...]]:
    """The signals that are known, and the names of those that are not."""
    known: list[Signal] = []
    unknown: list[str] = []
    for name, (possible, why) in SIGNALS.items():
        points = getattr(rank, name)
        if points is None:
            unknown.append(name)
        else:
            known.append(Signal(name=name, points=points, possible=possible, why=why))
    return tuple(known), tuple(unknown)


async def get_package_contributors(
    client: LibrariesIOClient,
    platform: PlatformName,
    name: PackageName,
    per_page: PerPage = PER_PAGE,
    page: CursorPage = 1,
) -> ContributorsAnswer:
    """Who contributed to the package's repository, most contributions first. Costs one request a page."""
    stored = await find_platform(client, platform)
    reply = await client.contributors(stored, name, page=page, per_page=per_page)
    order = "Most contributions first; Libraries.io does not tell how many."
    return ContributorsAnswer(
        platform=reply.canonical_platform or stored,
        name=reply.canonical_name or name,
        contributors=tuple(
            Contributor(login=person.login, name=person.name, type=person.user_type, host=person.host_type)
            for person in reply.data
        ),
        page=page,
        per_page=per_page,
        total=reply.total,
        has_more=more_pages(len(reply.data), page, per_page, reply.total),
        note=order if reply.data else "None known: perhaps no repository is linked to the package.",
        provenance=Provenance.of(client, reply),
    )


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add("Dependents", get_package_dependents)
    tools.add("SourceRank", get_sourcerank)
    tools.add("Contributors", get_package_contributors)
