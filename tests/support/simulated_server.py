"""Eight hours of the whole server in minutes: questions, quota, cache, health checks and alert rules on one clock."""

import gc
import itertools
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
from fastmcp import Client
from tests.unit.librariesio.service import FakeClock

from libraries_io_mcp.alerting.rounds import Rounds
from libraries_io_mcp.alerting.rules import default_rules, load_rules
from libraries_io_mcp.app import App, build_app
from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.keys import KNOWN_KEY
from libraries_io_mcp.settings import load_settings
from libraries_io_mcp.telemetry.samples import ProcessSamples

HOURS: Final = 8
A_MINUTE: Final = 12
"""Questions a minute."""
RULES_SECONDS: Final = 15.0
ENTRIES: Final = 200
SETTINGS: Final = {
    "LIBRARIES_IO_API_KEY": KNOWN_KEY,
    "LIBRARIES_IO_BASE_URL": "http://sandbox.test/api",
    "CACHE_MAX_ENTRIES": str(ENTRIES),
    "LOG_ENABLE_CONSOLE": "false",
    "OTEL_METRICS_EXPORTER": "prometheus",
    # Its thread goes by the machine's clock; the same rules are evaluated by the simulated one below.
    "ALERT_EVALUATION": "off",
}
KNOWN: Final = ("express", "axios", "react", "lodash", "koa", "ws", "debug", "moment")


class Day:
    """A server, a client in the same process, and what the server held at the end of each hour."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        service = create_app(keys={KNOWN_KEY: 60}, now=lambda: self.clock.time)
        os.environ.update(SETTINGS)
        self.app: App = build_app(
            load_settings(transport="http"),
            now=self.clock.now,
            sleep=self.clock.sleep,
            network=httpx.ASGITransport(app=service),
        )
        telemetry = self.app.telemetry
        samples = ProcessSamples(telemetry.meter_provider, telemetry.redactor)
        self.rounds = Rounds(load_rules(default_rules()).groups, samples.read, telemetry.instruments)
        self.held: list[Mapping[str, int]] = []
        self._numbers = itertools.count()

    def pass_by(self) -> list[Mapping[str, int]]:
        """Live through the hours."""
        anyio.run(self._run)
        return self.held

    async def _run(self) -> None:
        await self.clock.run(self._hours())

    async def _hours(self) -> None:
        async with Client(self.app.server) as client:
            for _hour in range(HOURS):
                for _quarter in range(int(3600 / RULES_SECONDS)):
                    for _ in range(int(A_MINUTE * RULES_SECONDS / 60)):
                        await self._ask(client, next(self._numbers))
                    await self.clock.sleep(RULES_SECONDS)
                    self.rounds.evaluate(self.clock.time)
                self.held.append(self._held())

    async def _ask(self, client: Client[Any], number: int) -> None:
        known = KNOWN[number % len(KNOWN)]
        tool, arguments = (
            ("get_package_info", {"platform": "npm", "name": known}),
            ("get_package_info", {"platform": "npm", "name": f"nobody-knows-{number}"}),
            ("search_packages", {"query": f"{known} {number}"}),
            ("get_package_dependencies", {"platform": "npm", "name": known, "version": "latest"}),
            ("get_quota_status", {}),
        )[number % 5]
        await client.call_tool(tool, arguments, raise_on_error=False)

    def _held(self) -> Mapping[str, int]:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return {
            "blocks": sys.getallocatedblocks(),
            "resident_mib": pages * os.sysconf("SC_PAGE_SIZE") >> 20,
            "cache_entries": self.app.client.vitals.cache().entries,
            "alert_series": self.rounds.series,
        }


def whole_day() -> list[Mapping[str, int]]:
    """What the server held at the end of each hour; to be called in a process of its own."""
    return Day().pass_by()
