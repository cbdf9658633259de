"""The composition root: the only file that knows everything. Builds the parts, serves, and ends them in order."""

import asyncio
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NoReturn

import anyio
import fastmcp
import httpx
from fastmcp import FastMCP

from libraries_io_mcp import __version__, interpreter
from libraries_io_mcp.answer import Tools
from libraries_io_mcp.answer.failure import RefuseBadCalls
from libraries_io_mcp.answer.time_limit import LimitTime
from libraries_io_mcp.authentication.provider import Callers
from libraries_io_mcp.authentication.scopes import RequireScopes
from libraries_io_mcp.capabilities import CapabilitiesMiddleware
from libraries_io_mcp.completions import register_completions
from libraries_io_mcp.ending import CLOSE_SECONDS, REFUSING_SECONDS, Ending, second_signal_kills
from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.health.checks import AlertingFacts, checks
from libraries_io_mcp.health.registry import Registry
from libraries_io_mcp.http.limits import current_caller
from libraries_io_mcp.http.listening import bound_socket
from libraries_io_mcp.http.routes import add_routes
from libraries_io_mcp.http.serving import serve_http
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.transports import way_out
from libraries_io_mcp.prompts import register_prompts
from libraries_io_mcp.reports import Alerts, NoAlerts, register_reports
from libraries_io_mcp.resources import SayWhy, register_resources
from libraries_io_mcp.settings import Settings
from libraries_io_mcp.stdio import StdioServer
from libraries_io_mcp.supervisor import Supervisor
from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.logged_in import logged_in
from libraries_io_mcp.telemetry.middleware import ObserveRequests
from libraries_io_mcp.telemetry.process import ProcessMetrics
from libraries_io_mcp.telemetry.providers import Telemetry, build_telemetry
from libraries_io_mcp.telemetry.recent import Recent
from libraries_io_mcp.telemetry.series import Series
from libraries_io_mcp.telemetry.summary import SLICE_SECONDS, Summary
from libraries_io_mcp.tools import guide, register_tools, switched_off

if TYPE_CHECKING:
    from libraries_io_mcp.alerting.alerting_thread import AlertingThread
    from libraries_io_mcp.alerting.service import Service

Lifespan = Callable[[FastMCP], AbstractAsyncContextManager[None]]
LIST_PAGE: Final = 50
"""Tools, resources and the like in one page of a list."""

logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class App:
    """The parts of a running server."""

    settings: Settings
    telemetry: Telemetry
    client: LibrariesIOClient
    observer: ObserveRequests
    server: FastMCP
    lifespan: Lifespan
    health: Registry
    alerting: "AlertingThread | None"


def build_app(
    settings: Settings,
    *,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    network: httpx.AsyncBaseTransport | None = None,
    list_page: int = LIST_PAGE,
) -> App:
    """Build every part. Nothing is opened or sent yet, but logging is taken over. `list_page`: most of a list at once.

    Raises:
        SettingsError: a setting asks for an extra that is not installed.
    """
    if settings.redis.url is not None and find_spec("redis") is None:
        raise SettingsError("REDIS_URL=***: needs the extra `redis`; install libraries-io-mcp[redis], or unset it")
    telemetry = build_telemetry(settings, serves_http=settings.server.transport == "http")
    network = network or way_out(settings.proxy.to(settings.libraries_io.base_url))
    with telemetry.observer.operation("startup"):
        return _assemble(settings, telemetry, now=now, sleep=sleep, network=network, list_page=list_page)


def _assemble(
    settings: Settings,
    telemetry: Telemetry,
    *,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    network: httpx.AsyncBaseTransport | None,
    list_page: int,
) -> App:
    client = LibrariesIOClient(
        settings.libraries_io,
        instruments=telemetry.instruments,
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
        now=now,
        sleep=sleep,
        network=network,
        cache_max_entries=settings.cache.max_entries,
        cache_max_bytes=settings.cache.max_bytes,
        cache_ttl_seconds=settings.cache.ttl_seconds,
        redis_url=settings.redis.url,
        caller=current_caller if settings.server.transport == "http" else str,
    )
    observer = _observer(settings, telemetry)
    started, series = time.monotonic(), Series()
    summary = Summary(Recent(telemetry.meter_provider).collect, monotonic=time.monotonic, on_slice=series.add)
    off = settings.telemetry.sdk_disabled
    alerting, supervisor = _alerting(settings, telemetry), Supervisor()
    alerts = alerting or NoAlerts("without telemetry there is nothing to evaluate" if off else None)
    who = Callers(settings.server) if settings.server.transport == "http" and settings.server.logs_in else None
    health = _health(settings, telemetry, client, alerting, supervisor, who, started=started, now=now, sleep=sleep)
    beside = [] if off else [each for each in (ProcessMetrics(telemetry.meter_provider), alerting) if each is not None]
    lifespan = _living(client, summary, health, supervisor, beside)
    server = _server(client, observer, lifespan, settings, health, _limits(settings, telemetry.instruments), list_page)
    server.auth = who
    register_reports(server, summary.facts, health=lambda: health.report().facts(), alerts=alerts)
    add_routes(
        server,
        version=__version__,
        uptime=lambda: time.monotonic() - started,
        summary=summary.facts,
        registry=telemetry.registry,
        health=health.report,
        alerts=alerts,
    )
    if settings.server.transport == "http":
        _add_page(server, settings, telemetry, client, summary, series, health, alerts)
    return App(settings, telemetry, client, observer, server, lifespan, health, alerting)


def _observer(settings: Settings, telemetry: Telemetry) -> ObserveRequests:
    return ObserveRequests(
        telemetry.tracer_provider.get_tracer(semconv.SCOPE_NAME, __version__),
        telemetry.instruments,
        transport="tcp" if settings.server.transport == "http" else "pipe",
        caller=logged_in(telemetry.callers),
    )


def _add_page(
    server: FastMCP,
    settings: Settings,
    telemetry: Telemetry,
    client: LibrariesIOClient,
    summary: Summary,
    series: Series,
    health: Registry,
    alerts: Alerts,
) -> None:
    # Imported here for start-up time: stdio has no page.
    from libraries_io_mcp.status.assembly import add_status_page  # noqa: PLC0415

    add_status_page(
        server,
        settings=settings,
        telemetry=telemetry,
        vitals=client.vitals,
        summary=summary,
        series=series,
        about={"version": __version__, "toolsets": settings.tools.toolsets},
        more={
            "health": lambda: health.report().facts(),
            "alerts": alerts.latest_facts,
            "alert_history": alerts.latest_history_facts,
        },
    )


def _alerting(settings: Settings, telemetry: Telemetry) -> "AlertingThread | None":
    """Alerting in a thread of its own; nothing of it is loaded when it is off, nor without metrics to look at."""
    if settings.alerts.evaluation == "off" or settings.telemetry.sdk_disabled:
        return None
    from libraries_io_mcp.alerting.alerting_thread import AlertingThread  # noqa: PLC0415 - see above

    def build() -> "Service":
        # Imported here for start-up time: this runs in that thread, when the server serves already.
        from libraries_io_mcp.alerting.assembly import build_service  # noqa: PLC0415
        from libraries_io_mcp.telemetry.samples import ProcessSamples  # noqa: PLC0415

        samples = ProcessSamples(telemetry.meter_provider, telemetry.redactor)
        return build_service(
            settings,
            collect=samples.read,
            observer=telemetry.observer,
            instruments=telemetry.instruments,
            supervisor=supervisor,
        )

    supervisor = Supervisor()
    return AlertingThread(build, NoAlerts, supervisor=supervisor)


def _health(
    settings: Settings,
    telemetry: Telemetry,
    client: LibrariesIOClient,
    alerting: "AlertingThread | None",
    supervisor: Supervisor,
    who: Callers | None,
    *,
    started: float,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> Registry:
    """The checks, which run for as long as the server does."""
    registry = Registry(
        checks(
            client.vitals,
            deliveries=telemetry.deliveries,
            destinations=telemetry.logging.facts,
            alerting_facts=lambda: AlertingFacts(**alerting.health_facts()) if alerting else AlertingFacts("off"),
            keys=who.keys if who is not None else None,
            problems=lambda: supervisor.problems,
            seconds=settings.health.check_seconds,
            probe_seconds=settings.health.probe_seconds,
        ),
        about=lambda: {
            "version": __version__,
            "uptime_seconds": round(time.monotonic() - started, 3),
            "instance_id": telemetry.instance_id,
        },
        clean=telemetry.redactor.text,
        now=now,
        monotonic=time.monotonic if now is time.time else now,
        sleep=sleep,
    )
    telemetry.instruments.watch_health(lambda: registry.report().values())
    return registry


def _limits(settings: Settings, instruments: Instruments) -> Sequence[LimitTime]:
    """None on stdio: the one client there harms nobody but itself."""
    if settings.server.transport == "stdio":
        return ()
    return (LimitTime(settings.limits.call_timeout_seconds, lambda: instruments.http_refused("call_timeout")),)


def _server(
    client: LibrariesIOClient,
    observer: ObserveRequests,
    lifespan: Lifespan,
    settings: Settings,
    health: Registry,
    limits: Sequence[LimitTime],
    list_page: int,
) -> FastMCP:
    """The server with all that clients see of it."""
    toolsets = settings.tools.toolsets
    # Our middleware makes the SERVER span; FastMCP only carries the caller's context.
    fastmcp.settings.telemetry_mode = "propagation_only"
    server = FastMCP(
        semconv.SERVICE_NAME,
        instructions=guide(toolsets),
        version=__version__,
        middleware=[
            observer,
            CapabilitiesMiddleware(),
            *((RequireScopes(),) if settings.server.logs_in else ()),
            RefuseBadCalls(lambda: switched_off(toolsets)),
            SayWhy(),
            *limits,
        ],
        mask_error_details=True,
        list_page_size=list_page,
        lifespan=lifespan,
    )
    tools = Tools(server, client, health=lambda: health.report().facts())
    register_tools(tools, toolsets)
    register_resources(server, tools.names)
    register_prompts(server, tools.names)
    register_completions(server)
    return server


def run(settings: Settings) -> NoReturn:
    """Serve until the client leaves or a signal comes, then end the process with its exit code.

    Raises:
        SettingsError: the address can't be listened on.
    """
    if settings.server.transport == "stdio":
        _run_stdio(build_app(settings))
    with bound_socket(settings.server.host, settings.server.port) as listener:
        _run_http(build_app(settings), listener)


def _run_stdio(app: App) -> NoReturn:
    interpreter.serving()
    ending = ending_of(app)
    anyio.run(_serve_stdio, app, ending)
    raise AssertionError("it ends the process")


async def _serve_stdio(app: App, ending: Ending) -> None:
    served = StdioServer(app.server, ending, parent=interpreter.PARENT)
    code = 0

    async def end_on_signal() -> None:
        nonlocal code
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                logger.info("ending on %s", number.name)
                second_signal_kills()
                code = 128 + number
                served.end()

    async def end_at_latest() -> None:
        await served.settled.wait()
        await anyio.sleep(REFUSING_SECONDS)
        ending.end(code)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end_on_signal)
        tasks.start_soon(end_at_latest)
        logger.info("serving MCP on stdio", extra={semconv.Attribute.SERVICE_VERSION: __version__})
        try:
            async with app.lifespan(app.server):
                await served.serve()
        except* (BrokenPipeError, ConnectionResetError):
            logger.info("the client has closed the pipe, or reads no more")
        # From inside the loop, whose own end would wait for threads that hang.
        ending.end(code)


def _run_http(app: App, listener: socket.socket) -> NoReturn:
    interpreter.serving()
    settings = app.settings
    serve_http(app.server, settings.server, settings.limits, listener, app.telemetry.instruments, ending_of(app))


def ending_of(app: App) -> Ending:
    """How it ends."""

    def finish(seconds: float) -> None:
        app.observer.end_session()
        app.telemetry.shutdown(seconds, also=[("alerts", app.alerting.end)] if app.alerting is not None else ())

    return Ending(app.telemetry.observer, leave=app.health.leave, finish=finish)


def _living(
    client: LibrariesIOClient,
    summary: Summary,
    health: Registry,
    supervisor: Supervisor,
    beside: "Sequence[ProcessMetrics | AlertingThread]",
) -> Lifespan:
    """`beside` lives as long as the server does. On stdio one server may have two connections, one after the other."""
    active = False

    async def gather() -> None:
        while True:
            await asyncio.sleep(SLICE_SECONDS)
            await asyncio.to_thread(summary.gather)

    parts = {"gathering the summary": gather, "looking after health": health.run}
    parts["keeping in touch with replicas"] = client.keep_in_touch

    @asynccontextmanager
    async def lifespan(_server: FastMCP) -> AsyncIterator[None]:
        nonlocal active
        if active:
            yield
            return
        active = True
        tasks = [asyncio.create_task(supervisor.keep(name, part)) for name, part in parts.items()]
        for each in beside:
            each.start()
        try:
            yield
        finally:
            active = False
            for task in tasks:
                task.cancel()
            for each in beside:
                each.stop()
            with anyio.move_on_after(CLOSE_SECONDS):
                await client.aclose()

    return lifespan
