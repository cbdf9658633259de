"""What the service returns, field by field as it really comes: nearly all can be null, unknown fields may appear.

`None` means that the service does not know, or does not say; it never means "no" or 0.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, Strict

_DOCS_SUFFIX: Final = " UTC"
LARGEST_NUMBER: Final = 2**53
"""What a client that counts in floating point can hold. Nothing that the service counts comes near."""


def _written_time(value: Any) -> Any:
    """A time as text: a number, or digits alone, would be taken for seconds since 1970 and become a date of our making.

    `2024-01-05T18:39:12.470Z` is the usual form, `2024-04-02 11:30:29 UTC` that of the docs page.
    """
    if not isinstance(value, str) or value[4:5] != "-":
        raise ValueError("no time of a known form")
    return f"{value[: -len(_DOCS_SUFFIX)]}Z" if value.endswith(_DOCS_SUFFIX) else value


def _with_zone(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


Timestamp = Annotated[datetime, BeforeValidator(_written_time), AfterValidator(_with_zone)]
Number = Annotated[int, Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Count = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
Texts = tuple[str, ...]
Flag = Annotated[bool, Strict()]
Name = Annotated[str, Strict()]
"""What identifies something; a number in its place is not its name."""


class Record(BaseModel):
    """What all of them share: frozen, tolerant of new fields and of numbers where text is expected."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, defer_build=True)


class Platform(Record):
    """A package manager that the service watches."""

    name: Name
    project_count: Count | None = None
    homepage: str | None = None
    color: str | None = None
    default_language: str | None = None


class Version(Record):
    """One release. `spdx_expression` may be `NONE` or `NOASSERTION`; `original_license` has no fixed shape."""

    number: str
    published_at: Timestamp | None = None
    spdx_expression: str | None = None
    original_license: JsonValue = None
    researched_at: Timestamp | None = None
    repository_sources: Texts | None = None


class PackageRecord(Record):
    """What every account of a package holds; `rank` is the SourceRank."""

    name: Name
    platform: Name
    description: str | None = None
    homepage: str | None = None
    language: str | None = None
    licenses: str | None = None
    normalized_licenses: Texts | None = None
    license_normalized: Flag | None = None
    repository_license: str | None = None
    status: str | None = None
    deprecation_reason: str | None = None
    rank: Number | None = None
    stars: Count | None = None
    forks: Count | None = None
    dependents_count: Count | None = None
    dependent_repos_count: Count | None = None
    latest_release_number: str | None = None
    latest_release_published_at: Timestamp | None = None
    latest_stable_release_number: str | None = None
    latest_stable_release_published_at: Timestamp | None = None
    latest_download_url: str | None = None
    package_manager_url: str | None = None
    repository_url: str | None = None
    repository_status: str | None = None

    @property
    def known_stars(self) -> int | None:
        """The service counts 0 stars where it knows no repository; that is unknown."""
        return self.stars if self.repository_url else None


class Project(PackageRecord):
    """One package. `versions` is unsorted and empty in search results."""

    keywords: Texts | None = None
    contributions_count: Count | None = None
    funding_urls: tuple[str, ...] | None = None
    code_of_conduct_url: str | None = None
    contribution_guidelines_url: str | None = None
    security_policy_url: str | None = None
    versions: tuple[Version, ...] | None = None


class Dependency(Record):
    """One declared dependency. `deprecated`, `outdated` and the latest versions are `None` for unindexed packages."""

    name: Name
    platform: Name
    requirements: str | None = None
    kind: str | None = None
    optional: Flag | None = None
    latest: str | None = None
    latest_stable: str | None = None
    deprecated: Flag | None = None
    outdated: Flag | None = None
    normalized_licenses: tuple[str, ...] | None = None


class VersionDependencies(Record):
    """The dependencies of one version. An empty list can also mean that the service has not looked yet."""

    name: Name
    platform: Name
    dependencies_for_version: str
    dependencies: tuple[Dependency, ...]


class BulkDependencies(Record):
    """One package of a bulk answer. `dependencies` is `None` when the service has not fetched them yet, or on errors.

    On status 404 `platform` and `name` are as asked, and `error` says what is missing.
    """

    name: str | None = None
    platform: str | None = None
    dependencies_for_version: str | None = None
    dependencies: tuple[Dependency, ...] | None = None
    error: str | None = None


class BulkEntry(Record):
    """Status 200 or 404 for one package of the request, in its order."""

    status: int
    body: BulkDependencies


class CheckedVersion(Record):
    """A release as `POST /check` shows it. `status`: `None`, `Deprecated` or `Removed`."""

    number: str
    published_at: Timestamp | None = None
    original_license: JsonValue = None
    status: str | None = None
    repository_sources: tuple[str, ...] | None = None


class CheckedProject(PackageRecord):
    """A package as `POST /check` shows it: `name` as asked, `canonical_name` as stored, `keywords` joined by commas."""

    canonical_name: str | None = None
    keywords: str | None = None
    license_set_by_admin: Flag | None = None
    last_synced_at: Timestamp | None = None
    versions: tuple[CheckedVersion, ...] | None = None


class TreeVersion(Record):
    """The version that a node of a tree stands for."""

    number: str


class TreeDependency(Record):
    """The package that a node of a tree stands for; `kind` is `None` at the root."""

    platform: Name
    project_name: Name
    kind: str | None = None


class TreeNode(Record):
    """A node of a resolved tree: at most 16 levels, 100 children each; a package seen before has no children again."""

    version: TreeVersion
    requirements: str | None = None
    dependency: TreeDependency
    normalized_licenses: Texts | None = None
    dependencies: tuple["TreeNode", ...] | None = None


class Sourcerank(Record):
    """The points behind a rank. Their sum, but not below 0, is the rank."""

    basic_info_present: Number | None = None
    repository_present: Number | None = None
    readme_present: Number | None = None
    license_present: Number | None = None
    versions_present: Number | None = None
    follows_semver: Number | None = None
    recent_release: Number | None = None
    not_brand_new: Number | None = None
    one_point_oh: Number | None = None
    dependent_projects: Number | None = None
    dependent_repositories: Number | None = None
    stars: Number | None = None
    contributors: Number | None = None
    subscribers: Number | None = None
    all_prereleases: Number | None = None
    any_outdated_dependencies: Number | None = None
    is_deprecated: Number | None = None
    is_unmaintained: Number | None = None
    is_removed: Number | None = None


class Subscription(Record):
    """A package that the key's owner watches. Both times are `None` when it had been subscribed to before."""

    include_prerelease: Flag | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    project: Project | None = None


class SwitchedOff(Record):
    """An endpoint that the service answers with a fixed text. Nothing was asked."""

    reason: str
    instead: str
