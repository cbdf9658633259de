"""Serves the MCP server and its routes by uvicorn until a signal comes."""

import asyncio
import logging
import resource
import signal
import socket
import time
from collections.abc import Callable
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
from libraries_io_mcp.authentication.provider import Callers, callers, provider
from libraries_io_mcp.http_access import GuardOperatorRoutes
from libraries_io_mcp.http_answers import ChooseForm
from libraries_io_mcp.http_connections import Door, GuardedConnection
from libraries_io_mcp.http_headers import SecureHeaders, cors
from libraries_io_mcp.http_limits import LimitCalls
from libraries_io_mcp.settings import LimitSettings, ServerSettings
from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.http_server import ObserveHttp
from libraries_io_mcp.telemetry.instruments import Instruments

PATH: Final = "/mcp"

logger: Final = logging.getLogger(__name__)


class HttpServer(uvicorn.Server):
    """Ends some time after a signal, at once on a second one; uvicorn would answer what is in flight first."""

    def __init__(self, config: uvicorn.Config, *, leave: Callable[[], None], delay_seconds: float) -> None:
        """`leave` is told of the signal: from then on, for `delay_seconds`, a proxy can see that this server ends."""
        super().__init__(config)
        self._leave = leave
        self._delay_seconds = delay_seconds
        self._leaving: tuple[int, float] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal has come."""
        if self._leaving is not None:
            second_signal_kills()
            signal.raise_signal(sig)
        self._leaving = (sig, time.monotonic() + self._delay_seconds)
        self._leave()
        if not self._delay_seconds:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to end."""
        if self._leaving is not None and not self.should_exit and time.monotonic() >= self._leaving[1]:
            super().handle_exit(self._leaving[0], None)
        return await super().on_tick(counter)


def serve_http(
    server: FastMCP,
    settings: ServerSettings,
    limits: LimitSettings,
    listener: socket.socket,
    instruments: Instruments,
    drain_seconds: float,
    leave: Callable[[], None],
) -> int:
    """Serve on the socket until a signal comes, of which `leave` is told; the exit code.

    Calls in flight get `drain_seconds` to end.
    """
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    code = 0
    try:
        anyio.run(_serve, server, settings, limits, listener, instruments, drain_seconds, leave)
    except SystemExit as leaving:
        code = int(leaving.code or 0)
        logger.info("ending on %s", signal.Signals(code - 128).name)
    second_signal_kills()
    return code


async def _serve(
    server: FastMCP,
    settings: ServerSettings,
    limits: LimitSettings,
    listener: socket.socket,
    instruments: Instruments,
    drain_seconds: float,
    leave: Callable[[], None],
) -> None:
    who = callers(settings)
    if who is None and settings.allow_anonymous:
        logger.warning("MCP_ALLOW_ANONYMOUS=true: whoever reaches this server may call it")
    server.auth = provider(settings, who)
    app = _app(server, settings, limits, who, instruments)
    _allow_files(limits)
    door = Door(limits, instruments.http_refused, time.monotonic)
    config = _config(app, limits, door)
    config.timeout_graceful_shutdown = drain_seconds  # type: ignore[assignment] # it only hands it to asyncio.wait_for
    host, port = listener.getsockname()[:2]
    logger.info(
        "serving MCP at http://%s:%d/mcp",
        f"[{host}]" if ":" in host else host,
        port,
        extra={semconv.Attribute.SERVICE_VERSION: __version__},
    )
    watching = asyncio.create_task(door.watch())
    try:
        await HttpServer(config, leave=leave, delay_seconds=settings.shutdown_delay_seconds).serve(sockets=[listener])
    finally:
        watching.cancel()


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
    server: FastMCP, settings: ServerSettings, limits: LimitSettings, who: Callers | None, instruments: Instruments
) -> ASGIApp:
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
                LimitCalls,
                path=PATH,
                limits=limits,
                logs_in=who is not None,
                keeps_sessions=not settings.stateless,
                refused=instruments.http_refused,
            ),
            Middleware(
                GuardOperatorRoutes,
                verify=who.verify_token if who is not None else None,
                networks=settings.operator_networks,
            ),
        ],
    )
    routes = [route for route in web.routes if isinstance(route, Route)]
    if not settings.stateless:
        mcp = next(route for route in routes if route.path == PATH)
        mcp.app = ChooseForm(mcp.app)
    # Around everything, so that what is refused at the door is counted too.
    return ObserveHttp(SecureHeaders(web), instruments=instruments, routes=[route.path for route in routes])


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    # uvicorn ends its connections first and raises the signal again; then this ends the program with its code.
    raise SystemExit(128 + number)


def second_signal_kills() -> None:
    """From now on SIGINT and SIGTERM end the process at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
