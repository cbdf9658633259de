"""Every question the client can ask, as the sandbox's catalogue can answer it."""

import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from opentelemetry.metrics import NoOpMeter
from pydantic import SecretStr

from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.connections import Connections
from libraries_io_mcp.sandbox.faults import Fault
from libraries_io_mcp.sandbox.keys import KNOWN_KEY
from libraries_io_mcp.sandbox.server import serving
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.telemetry.instruments import Instruments

Call = Callable[[LibrariesIOClient], Awaitable[Reply[Any]]]

READS: dict[str, Call] = {
    "/search": lambda api: api.search("react", platforms=["npm"], sort="rank", order="desc", per_page=5),
    "/platforms": lambda api: api.platforms(),
    "/{platform}/{name}": lambda api: api.project("npm", "react"),
    "/{platform}/{name}/{version}/dependencies": lambda api: api.dependencies("npm", "express", EXPRESS),
    "/projects/dependencies": lambda api: api.bulk_dependencies([("npm", "express", EXPRESS), ("npm", "nope", "1")]),
    "/check": lambda api: api.check([("npm", "react"), ("npm", "no-such-package")]),
    "/{platform}/{name}/tree": lambda api: api.tree("npm", "express"),
    "/{platform}/{name}/{version}/tree": lambda api: api.tree("npm", "express", EXPRESS, kind="runtime"),
    "/{platform}/{name}/dependent_repositories": lambda api: api.dependent_repositories("npm", "debug"),
    "/{platform}/{name}/contributors": lambda api: api.contributors("npm", "react", per_page=3),
    "/{platform}/{name}/sourcerank": lambda api: api.sourcerank("npm", "react"),
    "/{host}/{owner}/{name}": lambda api: api.repository("github", "facebook", "react", include_readme=True),
    "/{host}/repository": lambda api: api.repository("github", "sandbox-not-fetched", "projects"),
    "/{host}/{owner}/{name}/dependencies": lambda api: api.repository_dependencies("github", "facebook", "react"),
    "/{host}/{owner}/{name}/shields_dependencies": lambda api: api.repository_shields("github", "facebook", "react"),
    "/{host}/{owner}/{name}/projects": lambda api: api.repository_projects("github", "facebook", "react"),
    "/{host}/{login}": lambda api: api.owner("github", "facebook"),
    "/{host}/{login}/repositories": lambda api: api.owner_repositories("github", "facebook"),
    "/{host}/{login}/projects": lambda api: api.owner_projects("github", "facebook", keywords=["ui"]),
    "/{host}/{login}/project-contributions": lambda api: api.owner_project_contributions("github", "contributor-001"),
    "/{host}/{login}/repository-contributions": lambda api: api.owner_repository_contributions(
        "github", "contributor-001"
    ),
    "/{host}/{login}/dependencies": lambda api: api.owner_dependencies("github", "facebook", platform="npm"),
    "/subscriptions": lambda api: api.subscriptions(),
    "/subscriptions/{platform}/{name}": lambda api: api.subscription("npm", "react"),
}
WRITES: dict[str, Call] = {
    "POST": lambda api: api.subscribe("npm", "react"),
    "PUT": lambda api: api.change_subscription("npm", "react", include_prerelease=False),
    "DELETE": lambda api: api.unsubscribe("npm", "react"),
}
EXPRESS = "5.1.0"


def early_in_a_minute() -> Callable[[], float]:
    """A clock that starts at second 10 of a minute: near its end short questions may have no time for the next one."""
    shift = 10 - time.time() % 60
    return lambda: time.time() + shift


@asynccontextmanager
async def sandbox(*faults: Fault, limit: int = 1000, **options: Any) -> AsyncIterator[str]:
    """The sandbox on a real socket. Gives the base URL."""
    connections = Connections()
    app = create_app(keys={KNOWN_KEY: limit}, faults=faults, connections=connections, **options)
    async with serving(app, connections) as base_url:
        yield base_url


@asynccontextmanager
async def asking(base_url: str, *, key: str | None = KNOWN_KEY, **options: Any) -> AsyncIterator[LibrariesIOClient]:
    """A client in real time."""
    settings = LibrariesIOSettings(
        api_key=SecretStr(key) if key else None, base_url=base_url, timeout_seconds=options.pop("timeout", 30.0)
    )
    # The sandbox speaks plain HTTP: loading the machine's certificates for each client would be most of a test's time.
    options.setdefault("network", httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)))
    api = LibrariesIOClient(settings, instruments=Instruments(NoOpMeter("test")), **options)
    try:
        yield api
    finally:
        await api.aclose()
