"""Tools about one package."""

from datetime import datetime
from typing import Annotated, Final

from fastmcp import FastMCP
from mcp_types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field

from libraries_io_mcp.answer import Answer, Provenance, answers, shown
from libraries_io_mcp.errors import CallError, NotFoundError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import Project, VersionDependencies
from libraries_io_mcp.librariesio.platforms import STORED, nearest_platforms, stored_platform
from libraries_io_mcp.librariesio.reply import Reply

RECENT_VERSIONS: Final = 10

PlatformName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="Package platform in any letter case: npm, pypi, cargo, rubygems, maven, go, nuget, packagist, hex "
        "... Aliases such as pip, gem or composer work.",
        examples=["pypi", "npm"],
    ),
]
PackageName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        description="Package name as its platform writes it, e.g. requests, @babel/core, org.slf4j:slf4j-api, "
        "github.com/gin-gonic/gin.",
        examples=["requests", "@babel/core"],
    ),
]


class PackageVersion(BaseModel):
    """One published version."""

    model_config = ConfigDict(frozen=True)

    number: str
    published_at: datetime | None


class PackageAnswer(Answer):
    """What Libraries.io knows of one package. `null` means that Libraries.io does not know."""

    platform: str
    name: Annotated[str, Field(description="The stored name; it may differ from the one asked for.")]
    description: str | None
    status: Annotated[str | None, Field(description="null (normal), Active, Deprecated, Unmaintained, Removed ...")]
    deprecation_reason: str | None
    licenses: Annotated[tuple[str, ...], Field(description="SPDX ids, or `Other`. Empty: unknown.")]
    license_text: Annotated[str | None, Field(description="The licence as the registry words it.")]
    latest_stable: str | None
    latest_stable_published_at: datetime | None
    latest: Annotated[str | None, Field(description="Newest version, pre-releases included.")]
    versions_count: int
    recent_versions: Annotated[
        tuple[PackageVersion, ...], Field(description=f"The {RECENT_VERSIONS} newest by date of publication.")
    ]
    homepage: str | None
    repository_url: str | None
    language: str | None
    keywords: tuple[str, ...]
    stars: int | None
    forks: int | None
    rank: Annotated[int | None, Field(description="SourceRank, higher is better.")]
    dependents_count: Annotated[int | None, Field(description="Packages that depend on it.")]
    dependent_repos_count: Annotated[int | None, Field(description="Repositories that depend on it.")]
    contributions_count: Annotated[int | None, Field(description="Contributors of its repository.")]
    provenance: Provenance

    def text(self) -> str:
        """A short paragraph of facts."""
        reason = f": {self.deprecation_reason}" if self.deprecation_reason else ""
        published = f" of {self.latest_stable_published_at:%Y-%m-%d}" if self.latest_stable_published_at else ""
        lines = [
            f"{self.platform}/{self.name}: {self.description or 'no description'}",
            f"Status: {self.status}{reason}" if self.status else "Status: nothing unusual is recorded",
            f"Latest stable: {self.latest_stable or 'unknown'}{published}; {self.versions_count} versions in all",
            f"Licence: {', '.join(self.licenses) or 'unknown'}",
            f"Dependents: {shown(self.dependents_count)} packages, {shown(self.dependent_repos_count)} repositories; "
            f"stars: {shown(self.stars)}; SourceRank: {shown(self.rank)}",
            f"Repository: {self.repository_url or 'unknown'}",
            self.provenance.text(),
        ]
        return "\n".join(lines)


class PackageDependency(BaseModel):
    """One declared dependency."""

    model_config = ConfigDict(frozen=True)

    platform: str | None
    name: str
    requirements: Annotated[str | None, Field(description="Version range as declared.")]
    kind: Annotated[str | None, Field(description="As the platform words it: runtime, dev, build, normal ...")]
    optional: bool | None
    latest_stable: Annotated[str | None, Field(description="null: Libraries.io does not index this package.")]
    outdated: Annotated[bool | None, Field(description="Whether the range leaves the newest out; null: unknown.")]
    deprecated: Annotated[bool | None, Field(description="null: unknown.")]
    licenses: Annotated[tuple[str, ...] | None, Field(description="SPDX ids; null: unknown.")]


class DependenciesAnswer(Answer):
    """The declared dependencies of one version."""

    platform: str
    name: str
    version: Annotated[str | None, Field(description="The version these dependencies belong to.")]
    dependencies: tuple[PackageDependency, ...]
    note: Annotated[str | None, Field(description="What an empty list can mean.")]
    provenance: Provenance

    def text(self) -> str:
        """One line a dependency."""
        lines = [
            f"{dependency.name} {dependency.requirements or 'any'} ({dependency.kind or 'kind unknown'})"
            f"{' OUTDATED' if dependency.outdated else ''}{' DEPRECATED' if dependency.deprecated else ''}"
            for dependency in self.dependencies
        ]
        head = f"{self.platform}/{self.name} {self.version}: {len(lines)} dependencies"
        return "\n".join([head, *([self.note] if self.note else []), *lines, self.provenance.text()])


async def ask_platform(client: LibrariesIOClient, platform: str) -> str:
    """The stored name of a platform.

    Raises:
        NotFoundError: neither the known list nor Libraries.io has it; with the nearest names.
    """
    stored = stored_platform(platform)
    if stored is not None:
        return stored
    try:
        listed = tuple(entry.name for entry in (await client.platforms()).data)
    except CallError:
        # The list could not be had. It is only asked for platforms newer than our own list, so ours decides.
        listed = STORED
    for name in listed:
        if name.lower() == platform.strip().lower():
            return name
    raise NotFoundError(
        f"There is no platform {platform[:100]!r} at Libraries.io.",
        next_step="Use one of the suggested platforms." if nearest_platforms(platform, listed) else None,
        suggestions=nearest_platforms(platform, listed),
    )


def package_answer(reply: Reply[Project], provenance: Provenance) -> PackageAnswer:
    """The answer about a package out of what the service says of it."""
    project = reply.data
    dated = sorted(project.versions, key=lambda version: str(version.published_at or ""), reverse=True)
    return PackageAnswer(
        platform=project.platform,
        name=project.name,
        description=project.description,
        status=project.status,
        deprecation_reason=project.deprecation_reason,
        licenses=tuple(project.normalized_licenses),
        license_text=project.licenses,
        latest_stable=project.latest_stable_release_number,
        latest_stable_published_at=project.latest_stable_release_published_at,
        latest=project.latest_release_number,
        versions_count=len(project.versions),
        recent_versions=tuple(
            PackageVersion(number=version.number, published_at=version.published_at)
            for version in dated[:RECENT_VERSIONS]
        ),
        homepage=project.homepage or None,
        repository_url=project.repository_url or None,
        language=project.language,
        keywords=tuple(project.keywords),
        stars=project.stars,
        forks=project.forks,
        rank=project.rank,
        dependents_count=project.dependents_count,
        dependent_repos_count=project.dependent_repos_count,
        contributions_count=project.contributions_count,
        provenance=provenance,
    )


def dependencies_answer(reply: Reply[VersionDependencies], provenance: Provenance) -> DependenciesAnswer:
    """The answer about dependencies out of what the service says of them."""
    listed = reply.data
    empty = "None declared, or Libraries.io has not read them yet: it does not say which."
    return DependenciesAnswer(
        platform=listed.platform,
        name=listed.name,
        version=listed.dependencies_for_version,
        dependencies=tuple(
            PackageDependency(
                platform=dependency.platform,
                name=dependency.name,
                requirements=dependency.requirements,
                kind=dependency.kind,
                optional=dependency.optional,
                latest_stable=dependency.latest_stable,
                outdated=dependency.outdated,
                deprecated=dependency.deprecated,
                licenses=None if dependency.normalized_licenses is None else tuple(dependency.normalized_licenses),
            )
            for dependency in listed.dependencies or ()
        ),
        note=None if listed.dependencies else empty,
        provenance=provenance,
    )


async def newest_version(client: LibrariesIOClient, platform: str, name: str) -> tuple[str, str]:
    """Stored name and newest stable version (else the newest one) of a package.

    Libraries.io's own `latest` goes by the order of the text, where 9.1 is above 10.0; so it is not used.

    Raises:
        NotFoundError: no such package, or one without any version.
    """
    project = (await client.project(platform, name)).data
    version = project.latest_stable_release_number or project.latest_release_number
    if version is None:
        raise NotFoundError(f"Libraries.io knows no version of {platform}/{name}, so no dependencies either.")
    return project.name, version


def register(server: FastMCP, client: LibrariesIOClient) -> None:
    """Add the tools of this domain."""
    reads = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=True)

    @server.tool(title="Package", output_schema=PackageAnswer.model_json_schema(), annotations=reads)
    @answers
    async def get_package_info(platform: PlatformName, name: PackageName) -> PackageAnswer:
        """Licence, status, newest versions, repository and popularity of one package. Costs one request."""
        reply = await client.project(await ask_platform(client, platform), name)
        return package_answer(reply, Provenance.of(reply, client))

    @server.tool(title="Dependencies", output_schema=DependenciesAnswer.model_json_schema(), annotations=reads)
    @answers
    async def get_package_dependencies(
        platform: PlatformName,
        name: PackageName,
        version: Annotated[
            str | None,
            Field(min_length=1, max_length=200, description="Exact version; the newest stable one if left out."),
        ] = None,
    ) -> DependenciesAnswer:
        """What one version of a package declares to depend on. Costs one request, two without a version."""
        stored = await ask_platform(client, platform)
        if version is None or version == "latest":
            name, version = await newest_version(client, stored, name)
        reply = await client.dependencies(stored, name, version)
        return dependencies_answer(reply, Provenance.of(reply, client))
