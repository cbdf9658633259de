"""Tools that find packages and platforms."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from libraries_io_mcp.answer import CursorPage, ListAnswer, PagedAnswer, Part, Provenance, Tools, shown
from libraries_io_mcp.answer.arguments import NO_DEPENDENCIES, NO_VERSIONS, PerPage, PlatformName, find_platform
from libraries_io_mcp.answer.model import counted, lines, more_pages, short
from libraries_io_mcp.answer.packages import FoundPackage
from libraries_io_mcp.librariesio.arguments import DEEPEST_PAGE, DEEPEST_RESULT, Order, Sort
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import Project
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.licences import is_known

GUIDE = (
    "Find: search_packages by words and filters, get_popular_packages by platform or language, list_platforms for "
    "the names of platforms."
)
Filters = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=20)]


class PackagesAnswer(PagedAnswer):
    """A page of packages."""

    listed = "packages"

    packages: tuple[FoundPackage, ...]
    note: str | None = None

    def text(self) -> str:
        """One line a package."""
        of_all = f" of {self.total}" if self.total is not None else ""
        head = f"{counted(len(self.packages), 'package')}{of_all}, page {self.page}."
        if not self.packages:
            head = f"Page {self.page} is beyond the last{of_all} packages." if self.total else "No package matches."
        return lines(head, self.note, then=(package.text() for package in self.packages))


class PlatformLine(Part):
    """One package manager."""

    name: str
    project_count: int | None
    homepage: str | None
    default_language: str | None
    has_versions: bool
    has_dependencies: bool


class PlatformsAnswer(ListAnswer):
    """The package managers that Libraries.io watches."""

    listed = "platforms"

    platforms: tuple[PlatformLine, ...]

    def text(self) -> str:
        """One line a platform."""
        head = f"{len(self.platforms)} platforms, those with most packages first:"
        return lines(head, then=(f"{line.name}: {shown(line.project_count)} packages" for line in self.platforms))


def packages_answer(
    client: LibrariesIOClient, reply: Reply[tuple[Project, ...]], page: int, per_page: int, note: str | None = None
) -> PackagesAnswer:
    """A page of a search as an answer. Libraries.io ends at page 300 and at 10,000 results."""
    reachable = page < DEEPEST_PAGE and (page + 1) * per_page <= DEEPEST_RESULT
    return PackagesAnswer(
        packages=tuple(FoundPackage.of(project) for project in reply.data),
        note=note,
        page=page,
        per_page=per_page,
        total=reply.total,
        has_more=reachable and more_pages(len(reply.data), page, per_page, reply.total),
        provenance=Provenance.of(client, reply),
    )


async def search_packages(
    client: LibrariesIOClient,
    query: Annotated[
        str,
        StringConstraints(strip_whitespace=True),
        Field(min_length=1, max_length=500, description="Words; all of them must match."),
    ],
    platforms: Annotated[Filters | None, Field(description='e.g. ["pypi", "npm"]; aliases work.')] = None,
    languages: Annotated[Filters | None, Field(description='e.g. ["Python"].')] = None,
    licenses: Annotated[Filters | None, Field(description='SPDX ids, e.g. ["MIT"].')] = None,
    keywords: Annotated[Filters | None, Field(description="Exact, case-sensitive.")] = None,
    sort: Annotated[Sort | None, Field(description="By relevance if left out.")] = None,
    order: Annotated[Order, Field(description="Of `sort`.")] = "desc",
    page: Annotated[int, Field(ge=1, le=300, description="Page number.")] = 1,
    per_page: PerPage = 10,
) -> PackagesAnswer:
    """Find packages by words, platform, language, licence or keyword. Needs an API key; costs one request.

    `note` names licences that Libraries.io ignores; an unknown language finds nothing.
    """
    stored = [await find_platform(client, platform) for platform in platforms or ()]
    reply = await client.search(
        query,
        platforms=stored,
        languages=languages or (),
        licenses=licenses or (),
        keywords=keywords or (),
        sort=sort,
        order=order,
        page=page,
        per_page=per_page,
    )
    return packages_answer(client, reply, page, per_page, _ignored(licenses or ()))


def _ignored(licences: Sequence[str]) -> str | None:
    """Which licences Libraries.io has most likely dropped from the filter: it says nothing itself."""
    unknown = [short(name, 50) for name in licences if not is_known(name)]
    if not unknown:
        return None
    left = "by the others only" if len(unknown) < len(licences) else "by no licence"
    return f"No SPDX id: {', '.join(map(str, unknown))}. Libraries.io ignores what it does not know: filtered {left}."


async def get_popular_packages(
    client: LibrariesIOClient,
    platform: PlatformName | None = None,
    language: Annotated[str | None, Field(max_length=100, description="e.g. Python.")] = None,
    by: Annotated[
        Literal["dependents_count", "dependent_repos_count", "stars", "rank"],
        Field(description="What counts."),
    ] = "dependents_count",
    per_page: PerPage = 10,
    page: CursorPage = 1,
) -> PackagesAnswer:
    """The most used packages of a platform, of a language, or of all. Needs an API key; costs one request."""
    stored = (await find_platform(client, platform),) if platform else ()
    languages = (language,) if language else ()
    reply = await client.search("", platforms=stored, languages=languages, sort=by, page=page, per_page=per_page)
    return packages_answer(client, reply, page, per_page)


async def list_platforms(client: LibrariesIOClient) -> PlatformsAnswer:
    """All package managers that Libraries.io watches, with their number of packages. Costs one request a day."""
    reply = await client.platforms()
    return PlatformsAnswer(
        platforms=tuple(
            PlatformLine(
                name=platform.name,
                project_count=platform.project_count,
                homepage=platform.homepage or None,
                default_language=platform.default_language,
                has_versions=platform.name not in NO_VERSIONS,
                has_dependencies=platform.name not in NO_DEPENDENCIES,
            )
            for platform in reply.data
        ),
        provenance=Provenance.of(client, reply),
    )


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add("Search packages", search_packages)
    tools.add("Popular packages", get_popular_packages)
    tools.add("Platforms", list_platforms)
