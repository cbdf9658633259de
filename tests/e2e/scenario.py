"""What the end-to-end tests do with the product: the same varied questions over HTTP and stdio, by real clients."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from tests.e2e.ledger import Ledger
from tests.support.command import COMMAND, HTTP, Running, environment
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.stand_in import CANARY

from libraries_io_mcp.demo.otlp_model import MetricPoint

TRANSPORTS: Final = ("http", "stdio")
SOUGHT: Final = {"http": ("npm", "express"), "stdio": ("pypi", "requests")}
"""The package of each transport whose trace is looked for; asked for once."""
MARKER: Final = "marker-quick-foxes-jump-by-dawn"
"""Harmless, as long as a key, without a repetition: a package that is asked for, and part of every series. Who looks
for the key must find this."""
QUESTIONS: Final = (
    ("search_packages", {"query": "http client", "platforms": ["pip"]}),
    ("get_popular_packages", {"platform": "cargo", "by": "stars"}),
    ("list_platforms", {}),
    ("get_package_info", {"platform": "npm", "name": "ms"}),
    ("get_package_info", {"platform": "npm", "name": "ms"}),
    ("get_package_versions", {"platform": "npm", "name": "ms"}),
    ("get_package_dependencies", {"platform": "npm", "name": "debug"}),
    ("get_sourcerank", {"platform": "npm", "name": "ms"}),
    ("get_quota_status", {}),
    ("get_package_info", {"platform": "npm", "name": MARKER}),
    ("get_package_info", {"platform": "npm"}),
    ("get_package_info", {"platform": "npm", "name": "lodash"}),
)
FAULT: Final = {"name": "bad_gateway_slow", "path": "/api/NPM/lodash", "count": 1, "delay": 0.01}
"""Libraries.io's bad moment: the question about lodash is asked twice."""


@dataclass
class Done:
    """What was done over one transport, counted by the client."""

    transport: str
    calls: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    points: Sequence[MetricPoint] = ()
    """Every metric point that the Collector took."""

    @property
    def environment_name(self) -> str:
        """What tells the two servers apart in every back end."""
        return f"e2e-{self.transport}-{MARKER}"


def product_environment(endpoint: str, sandbox_url: str, name: str) -> dict[str, str]:
    """The variables of a server that sends everything to a Collector, soon."""
    return {
        "LIBRARIES_IO_BASE_URL": sandbox_url,
        "LIBRARIES_IO_API_KEY": CANARY,
        "LIBRARIES_IO_RATE_LIMIT": "100000",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name={name}",
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
    }


def play(
    transport: str,
    folder: Path,
    endpoint: str,
    sandbox_url: str,
    begun: Callable[[], bool],
    drawn: Callable[[], bool],
) -> Done:
    """Ask all questions of a server of its own, end it as a client would, and say what was done.

    Over HTTP the last question waits until `begun`, and the server lives until `drawn`: a rate needs two points, and is
    0 where the first of them holds everything already.
    """
    done = Done(transport)
    control = f"{sandbox_url.removesuffix('/api')}/_sandbox"
    httpx.delete(f"{control}/requests", timeout=HANG_SECONDS).raise_for_status()
    httpx.post(f"{control}/faults", json=FAULT, timeout=HANG_SECONDS).raise_for_status()
    with Ledger(endpoint) as ledger:
        given = product_environment(ledger.endpoint, sandbox_url, done.environment_name)
        if transport == "http":
            with Running(*HTTP, folder=folder, **given) as server:
                asyncio.run(_ask_all(Client(server.url), done, begun))
                poll_until(drawn, "the panels to have two points of every series", 240)
                assert server.end("SIGTERM") in (0, -15, 143), server.stderr
        else:
            folder.mkdir(parents=True, exist_ok=True)
            variables = environment(folder, **given)
            client = StdioTransport(
                COMMAND, [], env=variables, cwd=str(folder), keep_alive=False, log_file=folder / "stderr"
            )
            asyncio.run(_ask_all(Client(client), done, lambda: True))
        done.points = ledger.points
    done.requests = httpx.get(f"{control}/requests", timeout=HANG_SECONDS).raise_for_status().json()["total"]
    return done


async def _ask_all(client: Client[Any], done: Done, begun: Callable[[], bool]) -> None:
    platform, name = SOUGHT[done.transport]
    async with client:
        await client.list_tools()
        last = ("get_package_info", {"platform": platform, "name": name})
        for tool, arguments in (*QUESTIONS, last):
            if (tool, arguments) == last:
                await asyncio.to_thread(poll_until, begun, "the calls before the last to be counted", 240)
            answer = await client.call_tool(tool, arguments, raise_on_error=False)
            done.calls[tool] += 1
            if answer.is_error:
                done.failed[tool] += 1


@dataclass(frozen=True)
class Documented:
    """A metric as `docs/telemetry.md` has it: its unit, and its name and labels in Prometheus."""

    unit: str
    name: str
    labels: frozenset[str]


def documented_metrics(page: Path) -> dict[str, Documented]:
    """Metrics of `docs/telemetry.md` by name."""
    rows = (
        line.split("|") for line in page.read_text(encoding="utf-8").splitlines() if re.match(r"\| `[^`]+` \|", line)
    )
    tables = ([cell.strip() for cell in row[1:-1]] for row in rows if len(row) == 8)
    return {
        metric.strip("`"): Documented(
            unit.strip("` -"),
            name.strip("`"),
            frozenset(attribute.strip("` ").replace(".", "_") for attribute in attributes.split(",")) - {"-"},
        )
        for metric, _kind, unit, _help, attributes, name in tables
    }
