"""Puts the sandbox together: control routes, then request log > rate limit > faults > the API."""

import time
from collections.abc import Iterable, Mapping

from starlette.applications import Starlette
from starlette.routing import Mount

from libraries_io_mcp.sandbox.api import Api
from libraries_io_mcp.sandbox.catalogue_files import load_catalogue
from libraries_io_mcp.sandbox.clock import Clock
from libraries_io_mcp.sandbox.connections import Connections
from libraries_io_mcp.sandbox.control import control_routes
from libraries_io_mcp.sandbox.fault_actions import FaultGate
from libraries_io_mcp.sandbox.faults import Fault, Switchboard
from libraries_io_mcp.sandbox.keys import DEFAULT_LIMIT, KNOWN_KEY
from libraries_io_mcp.sandbox.quota import ANONYMOUS_LIMIT, QuotaGate
from libraries_io_mcp.sandbox.request_log import LogRequests, RequestLog
from libraries_io_mcp.sandbox.routing import find_route
from libraries_io_mcp.sandbox.table import routes


def create_app(
    *,
    keys: Mapping[str, int] | None = None,
    window_seconds: float = 60.0,
    anonymous_limit: int = ANONYMOUS_LIMIT,
    now: Clock = time.time,
    faults: Iterable[Fault] = (),
    connections: Connections | None = None,
) -> Starlette:
    """The sandbox as an ASGI application with a state of its own.

    Args:
        keys: the keys that are known and the limit of each in one window; `KNOWN_KEY` with 60 by default.
        window_seconds: the length of a key's window.
        anonymous_limit: requests an hour and address without a key.
        now: seconds since the epoch.
        faults: what is switched on from the start.
        connections: the server's, for the faults `reset` and `truncated`; without it they raise an exception instead.
    """
    table, log, switchboard = routes(), RequestLog(), Switchboard(faults)
    api = Api(load_catalogue(), table, now)

    def template_of(method: str, path: str) -> str | None:
        match = find_route(table, method, path)
        return match.route.template if match else None

    gate = QuotaGate(
        FaultGate(api, switchboard, connections or Connections()),
        keys={KNOWN_KEY: DEFAULT_LIMIT} if keys is None else keys,
        window_seconds=window_seconds,
        anonymous_limit=anonymous_limit,
        now=now,
    )
    return Starlette(routes=[*control_routes(log, switchboard), Mount("/", LogRequests(gate, log, template_of))])
