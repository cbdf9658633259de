"""What the service returns about repositories and the people behind them. `None`: the service does not know."""

from typing import Annotated

from pydantic import BeforeValidator

from libraries_io_mcp.librariesio.models import Dependency, Record, Texts, Timestamp, empty_for_null


class Repository(Record):
    """A repository as the service saw it at `last_synced_at`. `has_readme` and its like are file paths."""

    full_name: str
    host_type: str
    name: str | None = None
    uuid: str | None = None
    description: str | None = None
    homepage: str | None = None
    language: str | None = None
    license: str | None = None
    status: str | None = None
    keywords: Texts = ()
    funding_urls: tuple[str, ...] | None = None
    default_branch: str | None = None
    source_name: str | None = None
    mirror_url: str | None = None
    host_domain: str | None = None
    scm: str | None = None
    logo_url: str | None = None
    fork_policy: str | None = None
    pull_requests_enabled: str | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    pushed_at: Timestamp | None = None
    last_synced_at: Timestamp | None = None
    size: int | None = None
    stargazers_count: int | None = None
    forks_count: int | None = None
    open_issues_count: int | None = None
    subscribers_count: int | None = None
    contributions_count: int | None = None
    rank: int | None = None
    fork: bool | None = None
    has_issues: bool | None = None
    has_wiki: bool | None = None
    has_pages: bool | None = None
    has_readme: str | None = None
    has_changelog: str | None = None
    has_contributing: str | None = None
    has_license: str | None = None
    has_coc: str | None = None
    has_threat_model: str | None = None
    has_audit: str | None = None
    code_of_conduct_url: str | None = None
    contribution_guidelines_url: str | None = None
    security_policy_url: str | None = None
    readme_html_body: str | None = None


class RepositoryDependencies(Repository):
    """A repository with the dependencies of the newest version of every package that is published from it."""

    dependencies: Annotated[tuple[Dependency, ...], BeforeValidator(empty_for_null)] = ()


class ShieldsDependencies(Record):
    """How many of a repository's dependencies are deprecated, and how many outdated."""

    deprecated_count: int
    outdated_count: int


class Owner(Record):
    """A user or an organisation (`user_type`). E-mail addresses are left out on purpose: they are personal data."""

    login: str | None
    user_type: str | None
    host_type: str
    uuid: str | None = None
    name: str | None = None
    company: str | None = None
    blog: str | None = None
    location: str | None = None
    bio: str | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    last_synced_at: Timestamp | None = None
