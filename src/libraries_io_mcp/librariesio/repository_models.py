"""What the service returns about repositories and the people behind them. `None`: the service does not know."""

from libraries_io_mcp.librariesio.models import Count, Dependency, Flag, Name, Number, Record, Texts, Timestamp


class Repository(Record):
    """A repository as the service saw it at `last_synced_at`. `has_readme` and its like are file paths."""

    full_name: Name
    host_type: str | None = None
    name: str | None = None
    uuid: str | None = None
    description: str | None = None
    homepage: str | None = None
    language: str | None = None
    license: str | None = None
    status: str | None = None
    keywords: Texts | None = None
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
    size: Count | None = None
    stargazers_count: Count | None = None
    forks_count: Count | None = None
    open_issues_count: Count | None = None
    subscribers_count: Count | None = None
    contributions_count: Count | None = None
    rank: Number | None = None
    fork: Flag | None = None
    has_issues: Flag | None = None
    has_wiki: Flag | None = None
    has_pages: Flag | None = None
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

    dependencies: tuple[Dependency, ...] | None = None


class ShieldsDependencies(Record):
    """How many of a repository's dependencies are deprecated, and how many outdated."""

    deprecated_count: Count | None = None
    outdated_count: Count | None = None


class Owner(Record):
    """A user or an organisation (`user_type`). E-mail addresses are left out on purpose: they are personal data."""

    login: Name | None = None
    user_type: str | None = None
    host_type: Name
    uuid: str | None = None
    name: str | None = None
    company: str | None = None
    blog: str | None = None
    location: str | None = None
    bio: str | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    last_synced_at: Timestamp | None = None
