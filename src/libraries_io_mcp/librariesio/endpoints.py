"""The closed list of what can be asked: path template, model, and how long an answer may be kept. No policy."""

from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from libraries_io_mcp.librariesio.models import (
    BulkEntry,
    CheckedProject,
    Platform,
    Project,
    Sourcerank,
    Subscription,
    TreeNode,
    VersionDependencies,
)
from libraries_io_mcp.librariesio.repository_models import (
    Owner,
    Repository,
    RepositoryDependencies,
    ShieldsDependencies,
)

T = TypeVar("T")
MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

Projects = tuple[Project, ...]
Repositories = tuple[Repository, ...]
Owners = tuple[Owner, ...]


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[T]):
    """One endpoint of the service.

    Attributes:
        template: its path with placeholders; also its name in telemetry.
        model: what the answer is decoded to.
        group: endpoints that share a circuit breaker.
        keep_seconds: how long an answer may be kept; 0 for never.
        needs_key: the service refuses it without a key.
        repeatable: sending it twice does no harm.
        shareable: one answer does for all who ask the same at the same time.
        timeout_seconds: a time limit below the caller's own, for what is slow and not worth waiting for.
        patience: how many times the usual limit it may take, for what is slow and worth it; a caller who names a limit
            of its own is obeyed.
        escape_dots: its route takes a dot in a name for the start of a format.
    """

    template: str
    model: Any
    group: str
    keep_seconds: float = HOUR
    method: str = "GET"
    needs_key: bool = False
    repeatable: bool = True
    shareable: bool = True
    timeout_seconds: float = DAY
    patience: float = 1.0
    escape_dots: bool = False


SEARCH: Final[Endpoint[Projects]] = Endpoint(
    "/search", Projects, "search", keep_seconds=10 * MINUTE, needs_key=True
)  # fmt: skip
# A live count over all packages: slow, and it changes little.
PLATFORMS: Final[Endpoint[tuple[Platform, ...]]] = Endpoint(
    "/platforms", tuple[Platform, ...], "platforms", keep_seconds=DAY
)
PROJECT: Final[Endpoint[Project]] = Endpoint("/{platform}/{name}", Project, "project")
# What a released version depends on does not change; what is known about those dependencies does.
DEPENDENCIES: Final[Endpoint[VersionDependencies]] = Endpoint(
    "/{platform}/{name}/{version}/dependencies", VersionDependencies, "dependencies", keep_seconds=6 * HOUR
)
BULK_DEPENDENCIES: Final[Endpoint[tuple[BulkEntry | None, ...]]] = Endpoint(
    "/projects/dependencies", tuple[BulkEntry | None, ...], "dependencies", method="POST"
)
CHECK: Final[Endpoint[tuple[CheckedProject, ...]]] = Endpoint(
    "/check", tuple[CheckedProject, ...], "check", method="POST", needs_key=True
)
# The first time it is resolved while one waits, for up to a minute; then the service has it for a day. With the usual
# limit of 20 s that makes 65 s, a little more than the service's own limit.
TREE_PATIENCE: Final = 3.25
TREE: Final[Endpoint[TreeNode]] = Endpoint(
    "/{platform}/{name}/tree", TreeNode, "tree", keep_seconds=DAY, needs_key=True, patience=TREE_PATIENCE
)
VERSION_TREE: Final[Endpoint[TreeNode]] = replace(TREE, template="/{platform}/{name}/{version}/tree")
# For popular packages the service works on it for a minute and then fails: neither wait for that nor repeat it.
DEPENDENT_REPOSITORIES: Final[Endpoint[Repositories]] = Endpoint(
    "/{platform}/{name}/dependent_repositories",
    Repositories,
    "dependent_repositories",
    keep_seconds=DAY,
    repeatable=False,
    timeout_seconds=8.0,
)
CONTRIBUTORS: Final[Endpoint[Owners]] = Endpoint(
    "/{platform}/{name}/contributors", Owners, "project", keep_seconds=6 * HOUR
)
SOURCERANK: Final[Endpoint[Sourcerank]] = Endpoint(
    "/{platform}/{name}/sourcerank", Sourcerank, "project", keep_seconds=6 * HOUR
)
REPOSITORY: Final[Endpoint[Repository]] = Endpoint("/{host}/{owner}/{name}", Repository, "repository")
REPOSITORY_BY_QUERY: Final[Endpoint[Repository]] = Endpoint("/{host}/repository", Repository, "repository")
REPOSITORY_DEPENDENCIES: Final[Endpoint[RepositoryDependencies]] = Endpoint(
    "/{host}/{owner}/{name}/dependencies", RepositoryDependencies, "repository", keep_seconds=DAY
)
REPOSITORY_SHIELDS: Final[Endpoint[ShieldsDependencies]] = Endpoint(
    "/{host}/{owner}/{name}/shields_dependencies", ShieldsDependencies, "repository", keep_seconds=DAY
)
REPOSITORY_PROJECTS: Final[Endpoint[Projects]] = Endpoint("/{host}/{owner}/{name}/projects", Projects, "repository")

OWNER: Final[Endpoint[Owner]] = Endpoint("/{host}/{login}", Owner, "owner")
OWNER_REPOSITORIES: Final[Endpoint[Repositories]] = Endpoint("/{host}/{login}/repositories", Repositories, "owner")
OWNER_PROJECTS: Final[Endpoint[Projects]] = Endpoint("/{host}/{login}/projects", Projects, "owner")
OWNER_PROJECT_CONTRIBUTIONS: Final[Endpoint[Projects]] = Endpoint(
    "/{host}/{login}/project-contributions", Projects, "owner"
)
OWNER_REPOSITORY_CONTRIBUTIONS: Final[Endpoint[Repositories]] = Endpoint(
    "/{host}/{login}/repository-contributions", Repositories, "owner"
)
OWNER_DEPENDENCIES: Final[Endpoint[Projects]] = Endpoint("/{host}/{login}/dependencies", Projects, "owner")

# The owner of the key changes them elsewhere too, and at any time: never kept.
SUBSCRIPTIONS: Final[Endpoint[tuple[Subscription, ...]]] = Endpoint(
    "/subscriptions", tuple[Subscription, ...], "subscriptions", keep_seconds=0, needs_key=True
)
SUBSCRIPTION: Final[Endpoint[Subscription | None]] = Endpoint(
    "/subscriptions/{platform}/{name}",
    Subscription | None,
    "subscriptions",
    keep_seconds=0,
    needs_key=True,
    escape_dots=True,
)


def _write(method: str, model: Any) -> Endpoint[Any]:
    return Endpoint(
        SUBSCRIPTION.template,
        model,
        SUBSCRIPTION.group,
        keep_seconds=0,
        method=method,
        needs_key=True,
        repeatable=False,
        shareable=False,
        escape_dots=True,
    )


SUBSCRIBE: Final[Endpoint[Subscription]] = _write("POST", Subscription)
CHANGE_SUBSCRIPTION: Final[Endpoint[Subscription]] = _write("PUT", Subscription)
UNSUBSCRIBE: Final[Endpoint[None]] = _write("DELETE", None)
