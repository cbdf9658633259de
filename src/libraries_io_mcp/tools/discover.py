"""Tools that find packages."""

from typing import Annotated, Literal

from fastmcp import FastMCP
from mcp_types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field

from libraries_io_mcp.answer import Answer, Provenance, answers, shown
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import Project
from libraries_io_mcp.librariesio.platforms import stored_platform

Sort = Literal[
    "rank",
    "stars",
    "dependents_count",
    "dependent_repos_count",
    "latest_release_published_at",
    "contributions_count",
    "created_at",
]


class FoundPackage(BaseModel):
    """One hit of a search."""

    model_config = ConfigDict(frozen=True)

    platform: str
    name: str
    description: str | None
    licenses: Annotated[tuple[str, ...], Field(description="SPDX ids, or `Other`.")]
    latest_stable: Annotated[str | None, Field(description="Newest stable version; null if none is known.")]
    status: Annotated[str | None, Field(description="null (normal), Active, Deprecated, Unmaintained, Help Wanted.")]
    stars: int | None
    dependents_count: Annotated[int | None, Field(description="Packages that depend on it.")]
    rank: Annotated[int | None, Field(description="SourceRank, higher is better.")]
    language: str | None


class SearchAnswer(Answer):
    """A page of packages."""

    packages: tuple[FoundPackage, ...]
    page: int
    per_page: int
    total: Annotated[int | None, Field(description="Packages that match in all; null if Libraries.io did not say.")]
    has_more: Annotated[bool, Field(description="Whether `page` + 1 may hold further packages.")]
    provenance: Provenance

    def text(self) -> str:
        """One line a package."""
        lines = [
            f"{package.platform}/{package.name} {package.latest_stable or '(no stable version)'}"
            f" [{', '.join(package.licenses) or 'licence unknown'}] {shown(package.stars)} stars"
            f"{f' ({package.status})' if package.status not in (None, 'Active') else ''}: {package.description or '-'}"
            for package in self.packages
        ]
        of_all = f" of {self.total}" if self.total is not None else ""
        more = f" Ask for page {self.page + 1} to go on." if self.has_more else ""
        head = f"{len(self.packages)} packages{of_all}, page {self.page}.{more}" if lines else "No package matches."
        return "\n".join([head, *lines, self.provenance.text()])


def found_package(project: Project) -> FoundPackage:
    """A search hit out of what the service says of it."""
    return FoundPackage(
        platform=project.platform,
        name=project.name,
        description=project.description,
        licenses=tuple(project.normalized_licenses),
        latest_stable=project.latest_stable_release_number,
        status=project.status,
        stars=project.stars,
        dependents_count=project.dependents_count,
        rank=project.rank,
        language=project.language,
    )


def register(server: FastMCP, client: LibrariesIOClient) -> None:
    """Add the tools of this domain."""

    @server.tool(
        title="Search packages",
        output_schema=SearchAnswer.model_json_schema(),
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=True),
    )
    @answers
    async def search_packages(
        query: Annotated[
            str, Field(min_length=1, max_length=500, description="Words to look for; all of them must match.")
        ],
        platforms: Annotated[
            list[str] | None, Field(description='Only these platforms, e.g. ["pypi", "npm"]. Aliases work.')
        ] = None,
        languages: Annotated[
            list[str] | None, Field(description='Only these programming languages, e.g. ["Python"].')
        ] = None,
        licenses: Annotated[list[str] | None, Field(description='Only these SPDX licences, e.g. ["MIT"].')] = None,
        keywords: Annotated[
            list[str] | None, Field(description="Only packages with these keywords (exact, case-sensitive).")
        ] = None,
        sort: Annotated[Sort | None, Field(description="Order of the hits; by relevance if left out.")] = None,
        order: Annotated[Literal["asc", "desc"], Field(description="Direction of `sort`.")] = "desc",
        page: Annotated[int, Field(ge=1, le=300, description="Page number.")] = 1,
        per_page: Annotated[int, Field(ge=1, le=100, description="Packages a page.")] = 10,
    ) -> SearchAnswer:
        """Find packages by words, platform, language, licence or keyword. Needs an API key; costs one request.

        An empty list means that nothing matches. An unknown licence is ignored by Libraries.io, so check `licenses`.
        """
        reply = await client.search(
            query,
            platforms=tuple(stored_platform(name) or name for name in platforms or ()),
            languages=tuple(languages or ()),
            licenses=tuple(licenses or ()),
            keywords=tuple(keywords or ()),
            sort=sort,
            order=order,
            page=page,
            per_page=per_page,
        )
        found = tuple(found_package(project) for project in reply.data)
        has_more = len(found) == per_page and (reply.total is None or page * per_page < reply.total)
        return SearchAnswer(
            packages=found,
            page=page,
            per_page=per_page,
            total=reply.total,
            has_more=has_more,
            provenance=Provenance.of(reply, client),
        )
