"""Whether calls are slower when the Collector is dead, a black hole or alive than with telemetry off.

All variants run side by side and are asked in turn, one call each a round, so that what else the machine does meets
all of them alike. The call is get_quota_status: it asks no service, so telemetry is the largest part that differs.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.collectors import STATES, collector
from tests.support.command import COMMAND, HTTP, Running, environment

TRANSPORTS: Final = ("stdio", "http")
WARM_UP: Final = 20


async def connected(stack: AsyncExitStack, transport: str, state: str, folder: Path) -> Client[Any]:
    """A real client of a server whose Collector is in that state."""
    variables = stack.enter_context(collector(state))
    if transport == "http":
        server = stack.enter_context(Running(*HTTP, folder=folder, **variables))
        url = await asyncio.to_thread(lambda: server.url)
        return await stack.enter_async_context(Client(url))
    pipe = StdioTransport(
        COMMAND, [], env=environment(folder, **variables), cwd=str(folder), keep_alive=False, log_file=folder / "stderr"
    )
    return await stack.enter_async_context(Client(pipe))


async def measure(transport: str, rounds: int, place: Path) -> dict[str, list[float]]:
    """The seconds of each call, by state of the Collector."""
    taken: dict[str, list[float]] = {state: [] for state in STATES}
    async with AsyncExitStack() as stack:
        clients = {
            state: await connected(stack, transport, state, Path(tempfile.mkdtemp(dir=place))) for state in STATES
        }
        for number in range(WARM_UP + rounds):
            order = list(clients.items())
            random.shuffle(order)
            for state, client in order:
                began = time.perf_counter()
                await client.call_tool("get_quota_status", {})
                if number >= WARM_UP:
                    taken[state].append(time.perf_counter() - began)
    return taken


def dead_collector(rounds: int) -> dict[str, Any]:
    """The median of a call's seconds, and its ratio to telemetry off, by transport and state of the Collector."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        for transport in TRANSPORTS:
            taken = asyncio.run(measure(transport, rounds, Path(place)))
            medians = {state: statistics.median(seconds) for state, seconds in taken.items()}
            found[transport] = {
                state: {"median_s": median, "to_off": median / medians["off"]} for state, median in medians.items()
            }
    return found


def main() -> int:
    """Measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000, help="calls of each variant (default: 1000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print(
        f"{'transport':<10}{'collector':<12}{'calls':>6}{'median ms':>11}{'p95 ms':>9}{'max ms':>9}{'median/off':>12}"
    )
    with tempfile.TemporaryDirectory() as place:
        for transport in TRANSPORTS:
            taken = asyncio.run(measure(transport, options.rounds, Path(place)))
            off = statistics.median(taken["off"])
            for state, seconds in taken.items():
                median, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
                print(
                    f"{transport:<10}{state:<12}{len(seconds):>6}{median * 1000:>11.2f}{p95 * 1000:>9.2f}"
                    f"{max(seconds) * 1000:>9.2f}{median / off:>8.3f}"
                )
                rows.append({"transport": transport, "collector": state, "median_s": median, "p95_s": p95})
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
