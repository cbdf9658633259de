"""Two hours of the whole server in seconds, with one outage of Libraries.io in them, and what people are told."""

import itertools
import os
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
import httpx
from fastmcp import Client
from opentelemetry.metrics import NoOpMeter
from opentelemetry.trace import NoOpTracer
from tests.unit.librariesio.service import FakeClock

from libraries_io_mcp.alerting.alert import Alert, alert_to_json
from libraries_io_mcp.alerting.alert_store import AlertStore
from libraries_io_mcp.alerting.channels.notification import Channels, Delivered, Notification, Result
from libraries_io_mcp.alerting.dispatcher import Dispatcher
from libraries_io_mcp.alerting.rounds import Rounds
from libraries_io_mcp.alerting.rules import default_rules, load_rules
from libraries_io_mcp.app import App, build_app
from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.keys import KNOWN_KEY
from libraries_io_mcp.settings import load_settings
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.observe import Observer
from libraries_io_mcp.telemetry.samples import ProcessSamples
from libraries_io_mcp.telemetry.semconv import AlertChannel

STEP_SECONDS: Final = 15.0
BEFORE: Final = 1_800.0
AFTER: Final = 4_500.0
SETTINGS: Final = {
    "LIBRARIES_IO_API_KEY": KNOWN_KEY,
    "LIBRARIES_IO_BASE_URL": "http://sandbox.test/api",
    "CACHE_TTL_SECONDS": "0",
    "LOG_ENABLE_CONSOLE": "false",
    "OTEL_METRICS_EXPORTER": "prometheus",
    "ALERT_EVALUATION": "off",
}


@dataclass
class Mailbox:
    """Takes everything."""

    name: AlertChannel = "email"
    id: str = "email"
    label: str = "email"
    told: list[tuple[str, str]] = field(default_factory=list)

    async def deliver(self, notification: Notification) -> Result:
        self.told.append((notification.group["alertname"], notification.status))
        return Delivered()

    async def aclose(self) -> None:
        """Nothing is open."""


class Outage(httpx.AsyncBaseTransport):
    """The way to Libraries.io, and times when it answers 503."""

    def __init__(self, network: httpx.AsyncBaseTransport) -> None:
        self._network = network
        self.down = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            return httpx.Response(503, request=request)
        return await self._network.handle_async_request(request)


class Story:
    """A server with clients who ask all the time; what fired, and what a receiver of its own was told."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.clock = FakeClock()
        service = create_app(keys={KNOWN_KEY: 1_000}, now=lambda: self.clock.time)
        self._network = Outage(httpx.ASGITransport(app=service))
        os.environ.update(SETTINGS)
        self._app: App = build_app(
            load_settings(transport="http"), now=self.clock.now, sleep=self.clock.sleep, network=self._network
        )
        telemetry = self._app.telemetry
        samples = ProcessSamples(telemetry.meter_provider, telemetry.redactor)
        self._rounds = Rounds(load_rules(default_rules()).groups, samples.read, telemetry.instruments)
        self._store = AlertStore()
        self.mailbox = Mailbox()
        instruments = Instruments(NoOpMeter("test"))
        self._dispatcher = Dispatcher(
            Channels((self.mailbox,)),
            observer=Observer(NoOpTracer(), instruments),
            instruments=instruments,
            now=self.clock.now,
            monotonic=self.clock.now,
        )
        self.timeline: list[list[dict[str, Any]]] = []
        self.fired: set[str] = set()
        self._numbers = itertools.count()

    async def run(self) -> None:
        await self.clock.run(self._live())

    async def _live(self) -> None:
        async with Client(self._app.server) as client:
            for seconds, down in ((BEFORE, False), (self._seconds, True), (AFTER, False)):
                self._network.down = down
                for _ in range(int(seconds / STEP_SECONDS)):
                    await self._step(client)

    async def _step(self, client: Client[Any]) -> None:
        for _ in range(3):
            query = f"package {next(self._numbers)}"
            await client.call_tool("search_packages", {"query": query}, raise_on_error=False)
        await self.clock.sleep(STEP_SECONDS)
        self._rounds.evaluate(self.clock.time)
        self._store.update(self._rounds.alerts, self.clock.time)
        alerts: tuple[Alert, ...] = self._store.to_tell
        self.fired |= {alert.name for alert in alerts if alert.severity != "none"}
        self.timeline.append([alert_to_json(alert) for alert in alerts])
        self._dispatcher.update(alerts)
        await self._dispatcher.work()


def story(seconds: float) -> dict[str, Any]:
    """What came of an outage of so many seconds; to be called in a process of its own."""
    told = Story(seconds)
    anyio.run(told.run)
    return {"fired": sorted(told.fired), "told": told.mailbox.told, "timeline": told.timeline}
