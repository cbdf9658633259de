"""Tools about one package: what it is, and its versions."""

from datetime import date, datetime
from typing import Annotated, Final

from pydantic import Field

from libraries_io_mcp.answer import Limit, ListAnswer, Part, Provenance, SourcedAnswer, Tools, shown
from libraries_io_mcp.answer.arguments import PackageName, PlatformName, find_platform, missing_data_note
from libraries_io_mcp.answer.model import lines
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import Project, Version
from libraries_io_mcp.librariesio.reply import Reply

GUIDE = "One package: get_package_info for licence, status and popularity; get_package_versions for its releases."
RECENT_VERSIONS: Final = 10
NO_VERSIONS: Final = "Libraries.io sent no readable list of versions: unknown, not none."


class PackageVersion(Part):
    """One published version."""

    number: str
    published_at: datetime | None
    license: Annotated[str | None, Field(description="SPDX; NOASSERTION: not parsed.")]

    @classmethod
    def of(cls, version: Version) -> "PackageVersion":
        """The line out of what the service says of the version."""
        return cls(number=version.number, published_at=version.published_at, license=version.spdx_expression)


class PackageAnswer(SourcedAnswer):
    """What Libraries.io knows of one package."""

    platform: str
    name: Annotated[str, Field(description="As stored.")]
    description: str | None
    status: Annotated[str | None, Field(description="null: normal; else Deprecated, Unmaintained, Removed ...")]
    deprecation_reason: str | None
    licenses: Annotated[tuple[str, ...], Field(description="SPDX or `Other`; empty: unknown.")]
    license_text: Annotated[str | None, Field(description="As the registry words it.")]
    latest_stable: str | None
    latest_stable_published_at: datetime | None
    latest: Annotated[str | None, Field(description="Pre-releases included.")]
    versions_count: int | None
    recent_versions: tuple[PackageVersion, ...] | None
    homepage: str | None
    repository_url: str | None
    security_policy_url: str | None
    language: str | None
    keywords: tuple[str, ...] | None
    stars: Annotated[int | None, Field(description="null: no repository known.")]
    forks: int | None
    rank: Annotated[int | None, Field(description="SourceRank.")]
    dependents_count: int | None
    dependent_repos_count: int | None
    contributions_count: int | None

    def text(self) -> str:
        """A short paragraph of facts."""
        reason = f": {self.deprecation_reason}" if self.deprecation_reason else ""
        published = f" of {self.latest_stable_published_at:%Y-%m-%d}" if self.latest_stable_published_at else ""
        return lines(
            f"{self.platform}/{self.name}: {self.description or 'no description'}",
            f"Status: {self.status}{reason}" if self.status else "Status: nothing unusual is recorded",
            f"Latest stable: {self.latest_stable or 'unknown'}{published}; versions: {shown(self.versions_count)}",
            f"Licence: {', '.join(self.licenses) or 'unknown'}",
            f"Dependents: {shown(self.dependents_count)} packages, {shown(self.dependent_repos_count)} repositories; "
            f"stars: {shown(self.stars)}; SourceRank: {shown(self.rank)}",
            f"Repository: {self.repository_url or 'unknown'}",
        )


class VersionsAnswer(ListAnswer):
    """The versions of a package, newest first."""

    listed = "versions"

    platform: str
    name: str
    total: int | None
    versions: tuple[PackageVersion, ...]
    note: str | None

    def text(self) -> str:
        """One line a version."""
        dated = (
            f"{version.number} {f'{version.published_at:%Y-%m-%d}' if version.published_at else 'undated'}"
            f" [{version.license or 'licence unknown'}]"
            for version in self.versions
        )
        head = f"{self.platform}/{self.name}: {len(self.versions)} of {shown(self.total)} versions, newest first"
        return lines(head, self.note, then=dated)


def newest_first(versions: tuple[Version, ...]) -> list[Version]:
    """By date of publication; those without a date last."""
    return sorted(versions, key=lambda version: str(version.published_at or ""), reverse=True)


def package_answer(reply: Reply[Project], provenance: Provenance) -> PackageAnswer:
    """The answer about a package out of what the service says of it."""
    project = reply.data
    # Without a repository the service says 0, and means that it does not know.
    known = bool(project.repository_url)
    versionless = missing_data_note(project.platform, versions=True) is not None
    versions = None if versionless and not project.versions else project.versions
    return PackageAnswer(
        platform=project.platform,
        name=project.name,
        description=project.description,
        status=project.status,
        deprecation_reason=project.deprecation_reason,
        licenses=tuple(project.normalized_licenses or ()),
        license_text=project.licenses,
        latest_stable=project.latest_stable_release_number,
        latest_stable_published_at=project.latest_stable_release_published_at,
        latest=project.latest_release_number,
        versions_count=None if versions is None else len(versions),
        recent_versions=None
        if versions is None
        else tuple(PackageVersion.of(version) for version in newest_first(versions)[:RECENT_VERSIONS]),
        homepage=project.homepage or None,
        repository_url=project.repository_url or None,
        security_policy_url=project.security_policy_url,
        language=project.language,
        keywords=project.keywords,
        stars=project.known_stars,
        forks=project.forks if known else None,
        rank=project.rank,
        dependents_count=project.dependents_count,
        dependent_repos_count=project.dependent_repos_count,
        contributions_count=project.contributions_count if known else None,
        provenance=provenance,
    )


async def get_package_info(client: LibrariesIOClient, platform: PlatformName, name: PackageName) -> PackageAnswer:
    """Licence, status, newest versions, repository and popularity of one package. Costs one request."""
    reply = await client.project(await find_platform(client, platform), name)
    return package_answer(reply, Provenance.of(client, reply))


async def get_package_versions(
    client: LibrariesIOClient,
    platform: PlatformName,
    name: PackageName,
    limit: Limit = 30,  # noqa: ARG001 - the border cuts the list to it
    since: Annotated[date | None, Field(description="Only those published on this day or later.")] = None,
) -> VersionsAnswer:
    """The versions of a package with date and licence, newest first. Costs one request, the rest of the list none."""
    reply = await client.project(await find_platform(client, platform), name)
    versions = newest_first(reply.data.versions or ())
    note = missing_data_note(reply.data.platform, versions=True) if not versions else None
    if reply.data.versions is None and note is None:
        note = NO_VERSIONS
    if since is not None:
        undated = sum(version.published_at is None for version in versions)
        versions = [each for each in versions if each.published_at and each.published_at.date() >= since]
        note = f"{undated} versions without a date are left out." if undated else note
    return VersionsAnswer(
        platform=reply.data.platform,
        name=reply.data.name,
        total=None if reply.data.versions is None else len(reply.data.versions) or (None if note else 0),
        versions=tuple(PackageVersion.of(version) for version in versions),
        note=note,
        provenance=Provenance.of(client, reply),
    )


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add("Package", get_package_info)
    tools.add("Versions", get_package_versions)
