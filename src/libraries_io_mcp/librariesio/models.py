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


def _empty_for_null(value: Any) -> Any:
    return () if value is None else value


# `2024-01-05T18:39:12.470Z` takes the fast way; `2024-04-02 11:30:29 UTC`, the form of the docs page, the second one.
Timestamp = Annotated[datetime | Annotated[datetime, BeforeValidator(_docs_form)], Field(union_mode="left_to_right")]
# The service itself says 0 for packages without a repository.
Count = Annotated[int, BeforeValidator(lambda value: 0 if value is None else value)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_empty_for_null)]


class Record(BaseModel):
    """What all of them share: frozen, tolerant of new fields and of numbers where text is expected."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


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


class Project(Record):
    """One package. `versions` is unsorted and empty in search results; `rank` is the SourceRank."""

    name: str
    platform: str
    description: str | None = None
    homepage: str | None = None
    keywords: Texts = ()
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
    contributions_count: Count = 0
    latest_release_number: str | None = None
    latest_release_published_at: Timestamp | None = None
    latest_stable_release_number: str | None = None
    latest_stable_release_published_at: Timestamp | None = None
    latest_download_url: str | None = None
    package_manager_url: str | None = None
    repository_url: str | None = None
    repository_status: str | None = None
    funding_urls: tuple[str, ...] | None = None
    code_of_conduct_url: str | None = None
    contribution_guidelines_url: str | None = None
    security_policy_url: str | None = None
    versions: Annotated[tuple[Version, ...], BeforeValidator(_empty_for_null)] = ()


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


@cache
def decoder(model: Any) -> TypeAdapter[Any]:
    """The validator of a model or of a tuple of them, built at its first use."""
    return TypeAdapter(model)
