"""One method per endpoint of Libraries.io: its parameters and what comes back. Policy lives in the transports."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import httpx
from limits.aio.storage import MemoryStorage, Storage
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from libraries_io_mcp import __version__
from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.librariesio import endpoints
from libraries_io_mcp.librariesio.asking import Asker
from libraries_io_mcp.librariesio.body import MAX_REPLY_BYTES
from libraries_io_mcp.librariesio.models import Platform, Project, VersionDependencies
from libraries_io_mcp.librariesio.rate_limit import Quota, QuotaStatus
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.librariesio.transports import network_stack
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.telemetry.instruments import Instruments

Sort = Literal[
    "rank",
    "stars",
    "dependents_count",
    "dependent_repos_count",
    "latest_release_published_at",
    "contributions_count",
    "created_at",
]
Order = Literal["asc", "desc"]

SEARCH_DEPTH = 10_000
SEARCH_PAGES = 300
LARGEST_PAGE = 100


class LibrariesIOClient:
    """Asks Libraries.io. One object per process; close it with `aclose` when done.

    Every method raises a subclass of `errors.CallError` and nothing else when the question can't be answered.
    """

    def __init__(
        self,
        settings: LibrariesIOSettings,
        *,
        instruments: Instruments,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        network: httpx.AsyncBaseTransport | None = None,
        quota_storage: Storage | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ) -> None:
        base_url = httpx.URL(settings.base_url)
        self._timeout_seconds = settings.timeout_seconds
        self._quota = Quota(
            quota_storage or MemoryStorage(),
            key=settings.api_key,
            limit=settings.rate_limit,
            now=now,
            sleep=sleep,
        )
        stack = network_stack(
            base_url=base_url,
            key=settings.api_key,
            quota=self._quota,
            instruments=instruments,
            tracer_provider=tracer_provider,
            meter_provider=meter_provider,
            now=now,
            sleep=sleep,
            network=network,
            max_reply_bytes=max_reply_bytes,
        )
        self._asker = Asker(
            stack,
            base_url=base_url,
            key_present=settings.api_key is not None,
            user_agent=f"libraries-io-mcp/{__version__}",
            instruments=instruments,
            now=now,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._asker.aclose()

    def quota(self) -> QuotaStatus:
        """The budget as this process knows it. Asks nobody and costs nothing."""
        return self._quota.status()

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
    ) -> Reply[tuple[Project, ...]]:
        """Packages whose texts hold all words of `query`, without their versions. Needs a key.

        `Reply.total` is the number of all matches when the service says so; only the first 10,000 can be reached.
        The service ignores an unknown licence and answers an unknown platform or language with an empty list.

        Raises:
            InvalidRequestError: beyond page 300, 100 a page, or 10,000 results.
        """
        _check_page(page, per_page)
        parameters = {"q": query, "include_versions": "false", "page": str(page), "per_page": str(per_page)}
        lists = {"platforms": platforms, "languages": languages, "licenses": licenses, "keywords": keywords}
        parameters |= {name: _comma_list(name, values) for name, values in lists.items() if values}
        parameters |= {name: value for name, value in (("sort", sort), ("order", order)) if value}
        return await self._asker.ask(endpoints.SEARCH, {}, parameters, timeout_seconds=self._timeout_seconds)

    async def platforms(self) -> Reply[tuple[Platform, ...]]:
        """All package managers that the service watches, those with most packages first."""
        return await self._asker.ask(endpoints.PLATFORMS, {}, {}, timeout_seconds=self._timeout_seconds)

    async def project(self, platform: str, name: str) -> Reply[Project]:
        """One package with all its versions, unsorted: hundreds for big packages.

        Raises:
            NotFoundError: the platform or the package is unknown; the service does not say which.
        """
        names = {"platform": platform, "name": name}
        return await self._asker.ask(endpoints.PROJECT, names, {}, timeout_seconds=self._timeout_seconds)

    async def dependencies(self, platform: str, name: str, version: str) -> Reply[VersionDependencies]:
        """What one version declares to depend on. An empty list can also mean that the service has not looked yet.

        Raises:
            InvalidRequestError: `latest`, which the service resolves by the order of letters: 9.1.0 after 10.0.0.
            NotFoundError: platform, package or version is unknown, or the platform has no versions in the service.
        """
        if version.lower() == "latest":
            raise InvalidRequestError("Ask for a version by its number: Libraries.io gets `latest` wrong.")
        names = {"platform": platform, "name": name, "version": version}
        return await self._asker.ask(
            endpoints.DEPENDENCIES, names, {"subset": "minimum"}, timeout_seconds=self._timeout_seconds
        )


def _check_page(page: int, per_page: int) -> None:
    if not 1 <= per_page <= LARGEST_PAGE:
        raise InvalidRequestError(f"The argument `per_page` must be from 1 to {LARGEST_PAGE}.")
    if not 1 <= page <= SEARCH_PAGES or page * per_page > SEARCH_DEPTH:
        raise InvalidRequestError(
            f"Libraries.io shows only the first {SEARCH_DEPTH} matches and {SEARCH_PAGES} pages.",
            next_step="Narrow the search by a filter, or sort it so that what you look for comes first.",
        )


def _comma_list(name: str, values: Sequence[str]) -> str:
    if any("," in value for value in values):
        raise InvalidRequestError(f"A value of the argument `{name}` can't hold a comma.")
    return ",".join(values)
