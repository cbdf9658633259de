"""Serves the MCP server and its routes by uvicorn until a signal comes."""

import asyncio
import logging
import resource
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Final, NoReturn

import anyio
import uvicorn
from fastmcp import FastMCP
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp

from libraries_io_mcp import __version__
from libraries_io_mcp.authentication.provider import Callers
from libraries_io_mcp.ending import CLOSE_SECONDS, DRAIN_SECONDS, Ending, second_signal_kills
from libraries_io_mcp.http.access import GuardOperatorRoutes
from libraries_io_mcp.http.answers import ChooseForm, lift_limits
from libraries_io_mcp.http.connections import Door, GuardedConnection
from libraries_io_mcp.http.ending import Flights, RefuseAtEnd
from libraries_io_mcp.http.headers import SecureHeaders, cors
from libraries_io_mcp.http.limits import LimitCalls, Places
from libraries_io_mcp.http.streams import EndRevoked
from libraries_io_mcp.settings import LimitSettings, ServerSettings
from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.http_server import ObserveHttp
from libraries_io_mcp.telemetry.instruments import Instruments

PATH: Final = "/mcp"
TICK_SECONDS: Final = 1.0
"""How often the date in answers is renewed."""
TURN_SECONDS: Final = 0.002
HEARING_TURNS: Final = 10
"""In so many, connections that wait are taken, and what has been sent on them is read; or the kernel resets them."""

logger: Final = logging.getLogger(__name__)


class HttpServer(uvicorn.Server):
    """Ends some time after a signal, at once on a second one, and lets no request that it has read go unanswered."""

    def __init__(self, config: uvicorn.Config, *, ending: Ending, flights: Flights, delay_seconds: float) -> None:
        """For `delay_seconds` after the signal a proxy can see that this server ends; it serves on meanwhile."""
        super().__init__(config)
        self.reason = 0
        """The signal that ended it."""
        self._ending = ending
        self._flights = flights
        self._delay_seconds = delay_seconds
        self._loop = asyncio.get_running_loop()
        self._time_to_end = asyncio.Event()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the library's
        """A signal has come. The library's own way has event streams broken off."""
        second_signal_kills()
        self.reason = sig
        self._ending.leave()
        self._loop.call_soon_threadsafe(self._loop.call_later, self._delay_seconds, self._time_to_end.set)

    async def main_loop(self) -> None:
        """Serve until it is time to end. The library looks for that ten times a second."""
        while not self._time_to_end.is_set():
            await self.on_tick(0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._time_to_end.wait(), TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hear who has connected, answer or refuse what is in flight, and close when all of it is written."""
        logger.info("ending on %s", signal.Signals(self.reason).name)
        with self._ending.draining():
            self._flights.close()
            await _turns(HEARING_TURNS, lambda: False)
            for listening in (*self.servers, *(sockets or ())):
                listening.close()
            await self._flights.drain(DRAIN_SECONDS)
            # At once, since the calls of a session go on without the requests that brought them.
            with anyio.move_on_after(CLOSE_SECONDS):
                await self.lifespan.shutdown()
            await _turns(CLOSE_SECONDS / TURN_SECONDS, lambda: not self._flights)
            connections = self.server_state.connections
            for each in tuple(connections):
                each.shutdown()
            await _turns(CLOSE_SECONDS / TURN_SECONDS, lambda: not connections)


async def _turns(count: float, enough: Callable[[], bool]) -> None:
    """Let everything else go on for so many moments: on a busy machine they are longer, as is what is waited for."""
    while count > 0 and not enough():
        await asyncio.sleep(TURN_SECONDS)
        count -= 1


def serve_http(
    server: FastMCP,
    settings: ServerSettings,
    limits: LimitSettings,
    listener: socket.socket,
    instruments: Instruments,
    ending: Ending,
) -> NoReturn:
    """Serve on the socket until a signal comes, then end the process."""
    anyio.run(_serve, server, settings, limits, listener, instruments, ending)
    raise AssertionError("ended without an end")


async def _serve(
    server: FastMCP,
    settings: ServerSettings,
    limits: LimitSettings,
    listener: socket.socket,
    instruments: Instruments,
    ending: Ending,
) -> NoReturn:
    who = server.auth if isinstance(server.auth, Callers) else None
    if who is None and settings.allow_anonymous:
        logger.warning("MCP_ALLOW_ANONYMOUS=true: whoever reaches this server may call it")
    flights = Flights()
    places = Places(limits, time.monotonic, keeps_sessions=not settings.stateless)
    app = _app(server, settings, places, who, instruments, flights)
    _allow_files(limits)
    door = Door(limits, instruments.http_refused, time.monotonic)
    instruments.watch_http_limits(
        lambda: {"connections": (len(door.connections), limits.max_connections), **places.in_use()}
    )
    config = _config(app, limits, door)
    host, port = listener.getsockname()[:2]
    logger.info(
        "serving MCP at http://%s:%d/mcp",
        f"[{host}]" if ":" in host else host,
        port,
        extra={semconv.Attribute.SERVICE_VERSION: __version__},
    )
    watching = asyncio.create_task(door.watch())
    web = HttpServer(config, ending=ending, flights=flights, delay_seconds=settings.shutdown_delay_seconds)
    with suppress(SystemExit):  # it could not start, and has said why
        await web.serve(sockets=[listener])
    second_signal_kills()
    watching.cancel()
    # From inside the loop, whose own end would wait for threads that hang.
    ending.end(128 + web.reason if web.reason else 1)


def _config(app: ASGIApp, limits: LimitSettings, door: Door) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=partial(GuardedConnection, door),  # type: ignore[arg-type] # the library only calls it
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        forwarded_allow_ips=list(limits.trusted_proxies),
        timeout_keep_alive=limits.idle_seconds,  # type: ignore[arg-type] # it only hands it to call_later
    )


def _allow_files(limits: LimitSettings) -> None:
    """Each connection is an open file, and the usual limit of 1,024 is there for programs that use select()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.open_files
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        logger.warning("MCP_MAX_CONNECTIONS=%d: this process may open only %d files", limits.max_connections, allowed)


def _app(
    server: FastMCP,
    settings: ServerSettings,
    places: Places,
    who: Callers | None,
    instruments: Instruments,
    flights: Flights,
) -> ASGIApp:
    limits = places.limits
    verify = who.verify_token if who is not None else None
    web = server.http_app(
        path=PATH,
        stateless_http=settings.stateless,
        json_response=settings.stateless,
        host_origin_protection=True,
        allowed_hosts=[settings.host, *settings.allowed_hosts],
        allowed_origins=list(settings.allowed_origins),
        session_idle_timeout=None if settings.stateless else limits.session_idle_seconds,
        middleware=[
            *cors(settings.allowed_origins),
            Middleware(
                RefuseAtEnd,
                path=PATH,
                flights=flights,
                most_bytes=limits.max_request_bytes,
                refused=instruments.http_refused,
            ),
            Middleware(
                LimitCalls,
                path=PATH,
                places=places,
                logs_in=who is not None,
                refused=instruments.http_refused,
            ),
            Middleware(EndRevoked, verify=verify),
            Middleware(GuardOperatorRoutes, verify=verify, networks=settings.operator_networks),
        ],
    )
    routes = [route for route in web.routes if isinstance(route, Route)]
    mcp = next(route for route in routes if route.path == PATH)
    lift_limits(web, mcp.app, limits.max_request_bytes)
    if not settings.stateless:
        mcp.app = ChooseForm(mcp.app)
    # Around everything, so that what is refused at the door is counted too.
    return ObserveHttp(SecureHeaders(web), instruments=instruments, routes=[route.path for route in routes])
