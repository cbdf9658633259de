"""A tool about a user or an organisation on GitHub, GitLab or Bitbucket."""

from collections.abc import Awaitable
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from libraries_io_mcp.answer import CursorPage, PagedAnswer, Provenance, Tools
from libraries_io_mcp.answer.arguments import AskedName, HostName
from libraries_io_mcp.answer.model import lines, more_pages
from libraries_io_mcp.answer.packages import FoundPackage
from libraries_io_mcp.answer.repositories import FoundRepository
from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import Project
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.librariesio.repository_models import Repository

GUIDE = "People: get_owner for a user or organisation, with its repositories, packages, contributions or dependencies."
PER_PAGE: Final = 30
ORGANISATION: Final = "Organisation"
SHADOWED_LOGIN: Final = "repository"
Include = Literal["repositories", "packages", "package_contributions", "repository_contributions", "dependencies"]


class OwnerAnswer(PagedAnswer):
    """A user or an organisation, and one list about it."""

    host: str | None
    login: str
    type: Annotated[str | None, Field(description="User or Organisation.")]
    name: str | None
    company: str | None
    location: str | None
    blog: str | None
    bio: str | None
    include: Include | None
    packages: tuple[FoundPackage, ...]
    repositories: tuple[FoundRepository, ...]

    def listed_field(self) -> str:
        """Packages or repositories, by what was asked for."""
        return "repositories" if self.include in {"repositories", "repository_contributions"} else "packages"

    def text(self) -> str:
        """Who it is, and one line an item."""
        who = f"{self.login}{f' ({self.name})' if self.name else ''}, {self.type or 'type unknown'} on {self.host}"
        what = f"{self.include}: {len(self.items())} on page {self.page}" if self.include else None
        found = (*(each.text() for each in self.packages), *(each.text() for each in self.repositories))
        return lines(who, self.bio, what, then=found)


async def get_owner(
    client: LibrariesIOClient,
    host: HostName,
    login: Annotated[AskedName, Field(max_length=100, description="Its name there, e.g. pallets.")],
    include: Annotated[
        Include | None,
        Field(description="Also list these, a second request. Contributions: users only. dependencies: most used."),
    ] = None,
    page: CursorPage = 1,
) -> OwnerAnswer:
    """A user or organisation, as Libraries.io knows it. Costs one request, and one a page of `include`."""
    if login.lower() == SHADOWED_LOGIN:
        raise InvalidRequestError(
            f"The argument `login` can't be {SHADOWED_LOGIN}: Libraries.io takes that address for something else.",
            next_step="Ask about a repository of that owner instead.",
        )
    owner = await client.owner(host, login)
    if owner.data.user_type == ORGANISATION and include in {"package_contributions", "repository_contributions"}:
        raise InvalidRequestError(
            f"{login} is an organisation; Libraries.io knows contributions of users only.",
            next_step="Ask for `repositories` or `packages` instead.",
        )
    listed = await _listing(client, include, host, login, page) if include else None
    entries = listed.data if listed else ()
    return OwnerAnswer(
        host=owner.data.host_type,
        login=owner.data.login or login,
        type=owner.data.user_type,
        name=owner.data.name,
        company=owner.data.company,
        location=owner.data.location,
        blog=owner.data.blog,
        bio=owner.data.bio,
        include=include,
        packages=tuple(FoundPackage.of(entry) for entry in entries if isinstance(entry, Project)),
        repositories=tuple(FoundRepository.of(entry) for entry in entries if isinstance(entry, Repository)),
        page=page,
        per_page=PER_PAGE,
        total=listed.total if listed else None,
        has_more=listed is not None and more_pages(len(entries), page, PER_PAGE, listed.total),
        provenance=Provenance.of(client, owner, *((listed,) if listed else ())),
    )


def _listing(
    client: LibrariesIOClient, include: Include, host: str, login: str, page: int
) -> Awaitable[Reply[tuple[Any, ...]]]:
    match include:
        case "repositories":
            return client.owner_repositories(host, login, page=page, per_page=PER_PAGE)
        case "packages":
            return client.owner_projects(host, login, page=page, per_page=PER_PAGE)
        case "package_contributions":
            return client.owner_project_contributions(host, login, page=page, per_page=PER_PAGE)
        case "repository_contributions":
            return client.owner_repository_contributions(host, login, page=page, per_page=PER_PAGE)
        case "dependencies":
            return client.owner_dependencies(host, login, page=page, per_page=PER_PAGE)


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add("Owner", get_owner)
