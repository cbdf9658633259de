"""What the service returns, field by field as it really comes: nearly all can be null, unknown fields may appear.

`None` means that the service does not know, or does not say; it never means "no" or 0.
"""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, TypeAdapter

_DOCS_SUFFIX: Final = " UTC"


def _docs_form(value: Any) -> Any:
    return f"{value[: -len(_DOCS_SUFFIX)]}Z" if isinstance(value, str) and value.endswith(_DOCS_SUFFIX) else value


def empty_for_null(value: Any) -> Any:
    """An empty list where the service has `null`."""
    return () if value is None else value


# `2024-01-05T18:39:12.470Z` takes the fast way; `2024-04-02 11:30:29 UTC`, the form of the docs page, the second one.
Timestamp = Annotated[datetime | Annotated[datetime, BeforeValidator(_docs_form)], Field(union_mode="left_to_right")]
# The service itself says 0 for packages without a repository.
Count = Annotated[int, BeforeValidator(lambda value: 0 if value is None else value)]
Texts = Annotated[tuple[str, ...], BeforeValidator(empty_for_null)]


class Record(BaseModel):
    """What all of them share: frozen, tolerant of new fields and of numbers where text is expected."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, defer_build=True)


class Platform(Record):
    """A package manager that the service watches."""

    name: str
    project_count: int | None = None
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
    repository_sources: Texts = ()


class PackageRecord(Record):
    """What every account of a package holds; `rank` is the SourceRank."""

    name: str
    platform: str
    description: str | None = None
    homepage: str | None = None
    language: str | None = None
    licenses: str | None = None
    normalized_licenses: Texts = ()
    license_normalized: bool | None = None
    repository_license: str | None = None
    status: str | None = None
    deprecation_reason: str | None = None
    rank: int | None = None
    stars: Count = 0
    forks: Count = 0
    dependents_count: Count = 0
    dependent_repos_count: Count = 0
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

    keywords: Texts = ()
    contributions_count: Count = 0
    funding_urls: tuple[str, ...] | None = None
    code_of_conduct_url: str | None = None
    contribution_guidelines_url: str | None = None
    security_policy_url: str | None = None
    versions: Annotated[tuple[Version, ...], BeforeValidator(empty_for_null)] = ()


class Dependency(Record):
    """One declared dependency. `deprecated`, `outdated` and the latest versions are `None` for unindexed packages."""

    name: str
    platform: str
    requirements: str = ""
    kind: str | None = None
    optional: bool | None = None
    latest: str | None = None
    latest_stable: str | None = None
    deprecated: bool | None = None
    outdated: bool | None = None
    normalized_licenses: tuple[str, ...] | None = None


class VersionDependencies(Record):
    """The dependencies of one version. An empty list can also mean that the service has not looked yet."""

    name: str
    platform: str
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
    license_set_by_admin: bool | None = None
    last_synced_at: Timestamp | None = None
    versions: Annotated[tuple[CheckedVersion, ...], BeforeValidator(empty_for_null)] = ()


class TreeVersion(Record):
    """The version that a node of a tree stands for."""

    number: str


class TreeDependency(Record):
    """The package that a node of a tree stands for; `kind` is `None` at the root."""

    platform: str
    project_name: str
    kind: str | None = None


class TreeNode(Record):
    """A node of a resolved tree: at most 16 levels, 100 children each; a package seen before has no children again."""

    version: TreeVersion
    requirements: str | None = None
    dependency: TreeDependency
    normalized_licenses: Texts = ()
    dependencies: Annotated[tuple["TreeNode", ...], BeforeValidator(empty_for_null)] = ()


class Sourcerank(Record):
    """The points behind a rank. Their sum, but not below 0, is the rank."""

    basic_info_present: int
    repository_present: int
    readme_present: int
    license_present: int
    versions_present: int
    follows_semver: int
    recent_release: int
    not_brand_new: int
    one_point_oh: int
    dependent_projects: int
    dependent_repositories: int
    stars: int
    contributors: int
    subscribers: int
    all_prereleases: int
    any_outdated_dependencies: int
    is_deprecated: int
    is_unmaintained: int
    is_removed: int


class Subscription(Record):
    """A package that the key's owner watches. Both times are `None` when it had been subscribed to before."""

    include_prerelease: bool | None
    created_at: Timestamp | None
    updated_at: Timestamp | None
    project: Project | None


class SwitchedOff(Record):
    """An endpoint that the service answers with a fixed text. Nothing was asked."""

    reason: str
    instead: str


@cache
def decoder(model: Any) -> TypeAdapter[Any]:
    """The validator of a model or of a tuple of them, built at its first use."""
    return TypeAdapter(model)
