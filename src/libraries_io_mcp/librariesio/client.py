"""One method per endpoint of Libraries.io: its parameters and what comes back. Policy lives elsewhere."""

import asyncio
import copy
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Self, TypeVar

import httpx
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider
from pydantic import SecretStr

from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.librariesio import endpoints
from libraries_io_mcp.librariesio.arguments import (
    Order,
    Sort,
    bulk_size,
    given,
    host_names,
    list_parameters,
    page_parameters,
    shallow_page_parameters,
)
from libraries_io_mcp.librariesio.ask import Ask
from libraries_io_mcp.librariesio.asking import Manner
from libraries_io_mcp.librariesio.assembly import assemble
from libraries_io_mcp.librariesio.body import MAX_REPLY_BYTES
from libraries_io_mcp.librariesio.bulk import dependencies_ask, singles
from libraries_io_mcp.librariesio.cache import MAX_BYTES, MAX_ENTRIES
from libraries_io_mcp.librariesio.endpoints import Endpoint, Owners, Projects, Repositories
from libraries_io_mcp.librariesio.expenses import Expenses
from libraries_io_mcp.librariesio.models import (
    BulkEntry,
    CheckedProject,
    Platform,
    Project,
    Sourcerank,
    Subscription,
    SwitchedOff,
    TreeNode,
    VersionDependencies,
)
from libraries_io_mcp.librariesio.question import OnWait, Priority
from libraries_io_mcp.librariesio.quota import QuotaStatus
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.librariesio.repository_models import (
    Owner,
    Repository,
    RepositoryDependencies,
    ShieldsDependencies,
)
from libraries_io_mcp.redis_gateway import REDIS_SECONDS
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.telemetry.instruments import Instruments

T = TypeVar("T")
SHADOWED_REPOSITORIES: Final = frozenset(
    {"dependencies", "project-contributions", "projects", "repositories", "repository-contributions"}
)
"""Repository names that the service's routes take for something else."""


class LibrariesIOClient:
    """Asks Libraries.io. One object per process; close it with `aclose` when done.

    Every method raises a subclass of `errors.CallError` and nothing else when the question can't be answered:
    `NotFoundError` for unknown names, `InvalidRequestError` for arguments that no request could carry.
    """

    def __init__(
        self,
        settings: LibrariesIOSettings,
        *,
        instruments: Instruments,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        network: httpx.AsyncBaseTransport | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        cache_max_entries: int = MAX_ENTRIES,
        cache_max_bytes: int = MAX_BYTES,
        cache_ttl_seconds: float | None = None,
        redis_url: SecretStr | None = None,
        redis_seconds: float = REDIS_SECONDS,
        caller: Callable[[], str] = str,
    ) -> None:
        """`cache_ttl_seconds` bounds how long answers are kept; 0 keeps none. `redis_url` shares quota and answers; no
        call waits for it any longer than `redis_seconds`. `caller` names who asks just now: callers take turns at the
        quota. Left out, `network` is the real one, without a proxy.

        `now` is epoch seconds and may jump, as a machine's clock does; `monotonic` measures how long something takes.
        Left out, it is the machine's own, or `now` when a clock is handed in.
        """
        self._asker, self._quota, self.vitals, self._replicas = assemble(
            settings,
            instruments=instruments,
            tracer_provider=tracer_provider,
            meter_provider=meter_provider,
            now=now,
            monotonic=monotonic or (time.monotonic if now is time.time else now),
            sleep=sleep,
            network=network,
            max_reply_bytes=max_reply_bytes,
            cache_max_entries=cache_max_entries,
            cache_max_bytes=cache_max_bytes,
            cache_ttl_seconds=cache_ttl_seconds,
            redis_url=redis_url,
            redis_seconds=redis_seconds,
            caller=caller,
        )
        self._manner = Manner(settings.timeout_seconds)

    async def keep_in_touch(self) -> None:
        """See and be seen by the other processes that share the quota, until cancelled; at once without any."""
        await self._replicas.run()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._replicas.leave()
        await self._asker.aclose()

    def asking(
        self,
        *,
        timeout_seconds: float | None = None,
        priority: Priority = "interactive",
        on_wait: OnWait | None = None,
    ) -> Self:
        """The same client, asked in another manner: it shares connections, quota and cache with this one.

        What is asked through it, and through what is made of it in turn, is summed up in `expenses`.

        Args:
            timeout_seconds: time limit of each question, waits included; the setting's when `None`, and three times
                that for a dependency tree.
            priority: `batch` leaves a tenth of the quota to interactive questions.
            on_wait: called about once a second while a question waits for the quota, and before it is asked again
                because the service is still making the answer.
        """
        view = copy.copy(self)
        expenses = self._manner.expenses or Expenses()
        limit = timeout_seconds or self._manner.limit_seconds
        view._manner = Manner(self._manner.timeout_seconds, limit, priority, on_wait, expenses)
        return view

    def quota(self) -> QuotaStatus:
        """The budget as this process knows it. Asks nobody and costs nothing."""
        return self._quota.status()

    @property
    def expenses(self) -> Expenses:
        """What was asked through this view; nothing for the client itself, which everybody shares."""
        return self._manner.expenses or Expenses()

    async def search(
        self,
        query: str,
        *,
        platforms: Sequence[str] = (),
        languages: Sequence[str] = (),
        licenses: Sequence[str] = (),
        keywords: Sequence[str] = (),
        sort: Sort | None = None,
        order: Order | None = None,
        page: int = 1,
        per_page: int = 30,
    ) -> Reply[Projects]:
        """Packages whose texts hold all words of `query`, without their versions. Needs a key.

        `Reply.total` is the number of all matches when the service says so; only the first 10,000 can be reached.
        The service ignores an unknown licence and answers an unknown platform or language with an empty list.
        """
        parameters = {"q": query, "include_versions": "false", **shallow_page_parameters(page, per_page)}
        parameters |= list_parameters(platforms=platforms, languages=languages, licenses=licenses, keywords=keywords)
        parameters |= given(sort=sort, order=order)
        return await self._ask(endpoints.SEARCH, parameters=parameters)

    async def platforms(self) -> Reply[tuple[Platform, ...]]:
        """All package managers that the service watches, those with most packages first."""
        return await self._ask(endpoints.PLATFORMS)

    async def project(self, platform: str, name: str) -> Reply[Project]:
        """One package with all its versions, unsorted: hundreds for big packages.

        Raises:
            NotFoundError: the platform or the package is unknown; the service does not say which.
        """
        return await self._ask(endpoints.PROJECT, {"platform": platform, "name": name})

    async def dependencies(self, platform: str, name: str, version: str) -> Reply[VersionDependencies]:
        """What one version declares to depend on. An empty list can also mean that the service has not looked yet.

        Raises:
            InvalidRequestError: `latest`, which the service resolves by the order of letters: 9.1.0 after 10.0.0.
            NotFoundError: platform, package or version is unknown, or the platform has no versions in the service.
        """
        _refuse_latest(version)
        return await self._asker.ask(dependencies_ask(platform, name, version), self._manner)

    async def bulk_dependencies(self, packages: Sequence[tuple[str, str, str]]) -> Reply[tuple[BulkEntry | None, ...]]:
        """The dependencies of many `(platform, name, version)` in one request, in the order asked.

        An entry has status 404 when package or version is unknown, and `None` for dependencies not fetched yet. An
        entry that can't be read is `None`. Each list that is there is kept as the answer to `dependencies` too.
        """
        bulk_size(len(packages))
        for _, _, version in packages:
            _refuse_latest(version)
        keys = ("platform", "name", "version")
        body = {"subset": "minimum", "projects": [dict(zip(keys, package, strict=True)) for package in packages]}
        reply = await self._ask(endpoints.BULK_DEPENDENCIES, body=body)
        if reply.source == "network":
            for ask, single, size in singles(packages, reply):
                self._asker.seed(ask, single, size)
        return reply

    async def check(self, packages: Sequence[tuple[str, str]]) -> Reply[tuple[CheckedProject, ...]]:
        """Many packages `(platform, name)` in one request. Needs a key.

        Only the packages found are in the answer, in another order, each with the name as asked. One unknown
        platform makes the whole question a `NotFoundError`.
        """
        bulk_size(len(packages))
        body = {"projects": [{"platform": platform, "name": name} for platform, name in packages]}
        return await self._ask(endpoints.CHECK, body=body)

    async def tree(
        self,
        platform: str,
        name: str,
        version: str | None = None,
        *,
        kind: str | None = None,
        published_before: date | None = None,
    ) -> Reply[TreeNode]:
        """The resolved tree of a version, of the newest stable one by default. Needs a key; takes a minute at worst.

        Args:
            kind: kind of the first level's dependencies, `runtime` by default; deeper levels are always runtime.
            published_before: resolve to versions published before this day only.
        """
        names = {"platform": platform, "name": name}
        parameters = given(kind=kind, date=published_before.isoformat() if published_before else None)
        if version is None:
            return await self._ask(endpoints.TREE, names, parameters)
        _refuse_latest(version)
        return await self._ask(endpoints.VERSION_TREE, {**names, "version": version}, parameters)

    def dependents(self) -> SwitchedOff:
        """Why there is no list of dependents. Asks nobody: the service's answer has been the same since April 2023."""
        return SwitchedOff(
            reason="Libraries.io has switched the list of dependents off for performance reasons.",
            instead="Use dependents_count and dependent_repos_count of the package.",
        )

    async def dependent_repositories(
        self, platform: str, name: str, *, page: int = 1, per_page: int = 30
    ) -> Reply[Repositories]:
        """Repositories that depend on a package, best effort: for popular ones the service can't answer in time.

        Waits 8 seconds at most and is not repeated. `dependent_repos_count` of the package is always there.
        """
        names = {"platform": platform, "name": name}
        return await self._ask(endpoints.DEPENDENT_REPOSITORIES, names, page_parameters(page, per_page))

    async def contributors(self, platform: str, name: str, *, page: int = 1, per_page: int = 30) -> Reply[Owners]:
        """Who contributed to the package's repository, most contributions first; their number is not told."""
        names = {"platform": platform, "name": name}
        return await self._ask(endpoints.CONTRIBUTORS, names, page_parameters(page, per_page))

    async def sourcerank(self, platform: str, name: str) -> Reply[Sourcerank]:
        """The points that make up a package's rank."""
        return await self._ask(endpoints.SOURCERANK, {"platform": platform, "name": name})

    async def repository(self, host: str, owner: str, name: str, *, include_readme: bool = False) -> Reply[Repository]:
        """One repository on `github`, `gitlab` or `bitbucket`."""
        readme = given(include_readme="true" if include_readme else None)
        names = host_names(host, owner=owner)
        if name.lower() in SHADOWED_REPOSITORIES:
            query = {"owner": owner, "name": name, **readme}
            return await self._ask(endpoints.REPOSITORY_BY_QUERY, {"host": names["host"]}, query)
        return await self._ask(endpoints.REPOSITORY, {**names, "name": name}, readme)

    async def repository_dependencies(self, host: str, owner: str, name: str) -> Reply[RepositoryDependencies]:
        """A repository with the dependencies of the newest version of every package published from it."""
        return await self._ask(endpoints.REPOSITORY_DEPENDENCIES, host_names(host, owner=owner, name=name))

    async def repository_shields(self, host: str, owner: str, name: str) -> Reply[ShieldsDependencies]:
        """How many of those dependencies are deprecated and outdated: the cheap way to a summary."""
        return await self._ask(endpoints.REPOSITORY_SHIELDS, host_names(host, owner=owner, name=name))

    async def repository_projects(
        self, host: str, owner: str, name: str, *, page: int = 1, per_page: int = 30
    ) -> Reply[Projects]:
        """The packages that are published from a repository, best rank first."""
        names = host_names(host, owner=owner, name=name)
        return await self._ask(
            endpoints.REPOSITORY_PROJECTS, names, {"sort": "rank", **page_parameters(page, per_page)}
        )

    async def owner(self, host: str, login: str) -> Reply[Owner]:
        """A user, or an organisation when no user has that login."""
        return await self._ask(endpoints.OWNER, host_names(host, login=login))

    async def owner_repositories(
        self, host: str, login: str, *, page: int = 1, per_page: int = 30
    ) -> Reply[Repositories]:
        """An owner's open-source repositories without forks, most stars first."""
        names = host_names(host, login=login)
        return await self._ask(endpoints.OWNER_REPOSITORIES, names, page_parameters(page, per_page))

    async def owner_projects(
        self, host: str, login: str, *, keywords: Sequence[str] = (), page: int = 1, per_page: int = 30
    ) -> Reply[Projects]:
        """The packages published from an owner's repositories, with any of `keywords`, best rank first."""
        parameters = {**list_parameters(keywords=keywords), **page_parameters(page, per_page)}
        return await self._ask(endpoints.OWNER_PROJECTS, host_names(host, login=login), parameters)

    async def owner_project_contributions(
        self, host: str, login: str, *, page: int = 1, per_page: int = 30
    ) -> Reply[Projects]:
        """Packages that a user contributed to. For organisations the service fails: look at `user_type` first."""
        names = host_names(host, login=login)
        return await self._ask(endpoints.OWNER_PROJECT_CONTRIBUTIONS, names, page_parameters(page, per_page))

    async def owner_repository_contributions(
        self, host: str, login: str, *, page: int = 1, per_page: int = 30
    ) -> Reply[Repositories]:
        """Repositories that a user contributed to. For organisations the service fails."""
        names = host_names(host, login=login)
        return await self._ask(endpoints.OWNER_REPOSITORY_CONTRIBUTIONS, names, page_parameters(page, per_page))

    async def owner_dependencies(
        self, host: str, login: str, *, platform: str | None = None, page: int = 1, per_page: int = 30
    ) -> Reply[Projects]:
        """Packages that an owner's repositories use, most used first; an unknown platform gives an empty list."""
        parameters = {**given(platform=platform), **shallow_page_parameters(page, per_page)}
        return await self._ask(endpoints.OWNER_DEPENDENCIES, host_names(host, login=login), parameters)

    async def subscriptions(self, *, page: int = 1, per_page: int = 30) -> Reply[tuple[Subscription, ...]]:
        """What the key's owner is subscribed to. Needs a key; never kept."""
        return await self._ask(endpoints.SUBSCRIPTIONS, parameters=page_parameters(page, per_page))

    async def subscription(self, platform: str, name: str) -> Reply[Subscription | None]:
        """The subscription to one package, `None` when there is none. Needs a key; never kept."""
        return await self._ask(endpoints.SUBSCRIPTION, {"platform": platform, "name": name})

    async def subscribe(self, platform: str, name: str) -> Reply[Subscription]:
        """Subscribe to a package. Sent once. The times are `None` when the subscription was there before."""
        return await self._ask(endpoints.SUBSCRIBE, {"platform": platform, "name": name})

    async def change_subscription(self, platform: str, name: str, *, include_prerelease: bool) -> Reply[Subscription]:
        """Change a subscription. Sent once. Today the service ignores the value; it fails when not subscribed."""
        body = {"subscription": {"include_prerelease": include_prerelease}}
        return await self._ask(endpoints.CHANGE_SUBSCRIPTION, {"platform": platform, "name": name}, body=body)

    async def unsubscribe(self, platform: str, name: str) -> Reply[None]:
        """End a subscription. Sent once. The service fails when there is none: look with `subscription` first."""
        return await self._ask(endpoints.UNSUBSCRIBE, {"platform": platform, "name": name})

    async def _ask(
        self,
        endpoint: Endpoint[T],
        names: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Reply[T]:
        return await self._asker.ask(Ask(endpoint, names or {}, parameters or {}, body), self._manner)


def _refuse_latest(version: str) -> None:
    if version.lower() == "latest":
        raise InvalidRequestError("Ask for a version by its number: Libraries.io gets `latest` wrong.")
