"""Tools about one repository on GitHub, GitLab or Bitbucket, as Libraries.io last saw it."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from libraries_io_mcp.answer import CursorPage, ListAnswer, PagedAnswer, Provenance, SourcedAnswer, Tools, shown
from libraries_io_mcp.answer.arguments import AskedName, HostName, PerPage
from libraries_io_mcp.answer.dependencies import PackageDependency
from libraries_io_mcp.answer.model import counted, lines, more_pages, plain
from libraries_io_mcp.answer.packages import FoundPackage
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.librariesio.repository_models import Repository

GUIDE = (
    "Repositories: get_repository for its state and licence, get_repository_dependencies for what the packages "
    "published from it need, get_repository_packages for those packages."
)
OwnerName = Annotated[AskedName, Field(max_length=100, description="Its user or organisation, e.g. psf.")]
RepositoryName = Annotated[AskedName, Field(max_length=200, description="Without the owner, e.g. requests.")]


class RepositoryAnswer(SourcedAnswer):
    """A repository as Libraries.io last saw it."""

    host: str | None
    full_name: str
    description: str | None
    language: str | None
    license: str | None
    status: str | None
    homepage: str | None
    keywords: tuple[str, ...] | None
    stars: int | None
    forks: int | None
    open_issues: int | None
    subscribers: int | None
    contributors: int | None
    size_kb: int | None
    rank: int | None
    is_fork: bool | None
    forked_from: str | None
    default_branch: str | None
    created_at: datetime | None
    pushed_at: datetime | None
    last_synced_at: Annotated[datetime | None, Field(description="When Libraries.io last looked.")]
    files: Annotated[dict[str, str], Field(description="Paths of readme, licence, changelog and the like it found.")]
    security_policy_url: str | None
    code_of_conduct_url: str | None
    contribution_guidelines_url: str | None

    def text(self) -> str:
        """A short paragraph of facts."""
        pushed = f"{self.pushed_at:%Y-%m-%d}" if self.pushed_at else "unknown"
        seen = f"{self.last_synced_at:%Y-%m-%d}" if self.last_synced_at else "an unknown day"
        return lines(
            f"{self.host or 'unknown host'} {self.full_name}: {self.description or 'no description'}",
            f"Status: {self.status or 'nothing unusual is recorded'}; licence: {self.license or 'unknown'}; "
            f"language: {self.language or 'unknown'}",
            f"Stars: {shown(self.stars)}; forks: {shown(self.forks)}; open issues: {shown(self.open_issues)}; "
            f"contributors: {shown(self.contributors)}",
            f"Last push: {pushed}; seen by Libraries.io on {seen}",
            f"Files: {', '.join(self.files.values()) or 'none known'}",
        )


class RepositoryDependenciesAnswer(ListAnswer):
    """What the packages published from a repository depend on."""

    listed = "dependencies"

    full_name: str
    outdated_count: int | None
    deprecated_count: int | None
    dependencies: tuple[PackageDependency, ...]
    note: str

    def text(self) -> str:
        """The counts and one line a dependency."""
        head = f"{self.full_name}: {shown(self.outdated_count)} outdated, {shown(self.deprecated_count)} deprecated"
        return lines(head, self.note, then=(dependency.text() for dependency in self.dependencies))


class RepositoryPackagesAnswer(PagedAnswer):
    """The packages published from a repository."""

    listed = "packages"

    full_name: str
    packages: tuple[FoundPackage, ...]

    def text(self) -> str:
        """One line a package."""
        head = f"{self.full_name}: {counted(len(self.packages), 'package')}, page {self.page}"
        return lines(head, then=(package.text() for package in self.packages))


def repository_answer(reply: Reply[Repository], provenance: Provenance) -> RepositoryAnswer:
    """The answer out of what the service says of a repository."""
    repository = reply.data
    kinds = ("readme", "changelog", "contributing", "license", "coc", "threat_model", "audit")
    files = {kind: getattr(repository, f"has_{kind}") for kind in kinds}
    return RepositoryAnswer(
        host=repository.host_type,
        full_name=repository.full_name,
        description=repository.description,
        language=repository.language,
        license=repository.license,
        status=repository.status,
        homepage=repository.homepage or None,
        keywords=repository.keywords,
        stars=repository.stargazers_count,
        forks=repository.forks_count,
        open_issues=repository.open_issues_count,
        subscribers=repository.subscribers_count,
        contributors=repository.contributions_count,
        size_kb=repository.size,
        rank=repository.rank,
        is_fork=repository.fork,
        forked_from=repository.source_name,
        default_branch=repository.default_branch,
        created_at=repository.created_at,
        pushed_at=repository.pushed_at,
        last_synced_at=repository.last_synced_at,
        files={kind: plain(path, 200) for kind, path in files.items() if path},
        security_policy_url=repository.security_policy_url,
        code_of_conduct_url=repository.code_of_conduct_url,
        contribution_guidelines_url=repository.contribution_guidelines_url,
        provenance=provenance,
    )


async def get_repository(
    client: LibrariesIOClient, host: HostName, owner: OwnerName, name: RepositoryName
) -> RepositoryAnswer:
    """State, licence, popularity and files of one repository, as of `last_synced_at`. Costs one request."""
    reply = await client.repository(host, owner, name)
    return repository_answer(reply, Provenance.of(client, reply))


async def get_repository_dependencies(
    client: LibrariesIOClient,
    host: HostName,
    owner: OwnerName,
    name: RepositoryName,
    summary: Annotated[bool, Field(description="Only the counts of outdated and deprecated ones: cheap.")] = False,
) -> RepositoryDependenciesAnswer:
    """What the newest versions of the packages published from a repository depend on. Costs one request.

    Not the manifest files of the repository itself: one that publishes no package has no dependencies here.
    """
    if summary:
        counted = await client.repository_shields(host, owner, name)
        return RepositoryDependenciesAnswer(
            full_name=f"{owner}/{name}",
            outdated_count=counted.data.outdated_count,
            deprecated_count=counted.data.deprecated_count,
            dependencies=(),
            note="Counts only; 0 may also mean that it publishes no package.",
            provenance=Provenance.of(client, counted),
        )
    reply = await client.repository_dependencies(host, owner, name)
    every = reply.data.dependencies or ()
    unclear = sum(each.outdated is None or each.deprecated is None for each in every)
    return RepositoryDependenciesAnswer(
        full_name=reply.data.full_name,
        outdated_count=sum(each.outdated is True for each in every) if every else None,
        deprecated_count=sum(each.deprecated is True for each in every) if every else None,
        dependencies=tuple(PackageDependency.of(each) for each in every),
        note="Dependencies of the packages published from it, not of its own manifest files."
        + (f" The counts leave out {unclear} of unknown state." if unclear else "")
        if every
        else "It publishes no package with known dependencies: unknown, not none.",
        provenance=Provenance.of(client, reply),
    )


async def get_repository_packages(
    client: LibrariesIOClient,
    host: HostName,
    owner: OwnerName,
    name: RepositoryName,
    per_page: PerPage = 10,
    page: CursorPage = 1,
) -> RepositoryPackagesAnswer:
    """The packages that are published from a repository, best rank first. Costs one request a page."""
    reply = await client.repository_projects(host, owner, name, page=page, per_page=per_page)
    return RepositoryPackagesAnswer(
        full_name=f"{owner}/{name}",
        packages=tuple(FoundPackage.of(project) for project in reply.data),
        page=page,
        per_page=per_page,
        total=reply.total,
        has_more=more_pages(len(reply.data), page, per_page, reply.total),
        provenance=Provenance.of(client, reply),
    )


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add("Repository", get_repository)
    tools.add("Repository's dependencies", get_repository_dependencies)
    tools.add("Repository's packages", get_repository_packages)
