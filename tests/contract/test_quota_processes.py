"""Five simulated minutes of processes that share one key, against a sandbox that refuses what is over the limit."""

import asyncio
import json
import math
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.shared_clock import SharedClock
from tests.support.valkey import running_valkey

from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.connections import Connections
from libraries_io_mcp.sandbox.keys import KNOWN_KEY
from libraries_io_mcp.sandbox.server import serving

pytest.importorskip("redis")
ROOT = Path(__file__).parents[2]
LIMIT, WINDOWS, WINDOW_SECONDS = 60, 5, 60
QUESTIONS = LIMIT * WINDOWS
BEGIN = 1_800_000_005.0  # second 5 of a minute


pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with running_valkey() as server:
        yield f"redis://127.0.0.1:{server.port}/0"


class Service:
    """The sandbox with a clock `ahead` of the clients' one, and a book of what it answered when."""

    def __init__(self, clock: SharedClock, ahead: float) -> None:
        self._clock = clock
        self._ahead = ahead
        self.windows: Counter[int] = Counter()
        self.statuses: Counter[int] = Counter()
        self._app = create_app(keys={KNOWN_KEY: LIMIT}, now=self.now)

    def now(self) -> float:
        return self._clock.now() + self._ahead

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        window = math.floor(self.now() / WINDOW_SECONDS)

        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.statuses[message["status"]] += 1
                self.windows[window] += 1
            await send(message)

        await self._app(scope, receive, noted)


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.asking_process", *arguments,
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert await child.stdout.readline() == b"ready\n"
        yield child
        await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


@dataclass(frozen=True)
class Outcome:
    """What came of 300 questions, asked by `len(reports)` processes."""

    statuses: dict[int, int]
    by_window: list[int]
    reports: list[dict[str, Any]]


async def run(folder: Path, count: int, ahead: float, redis_url: str) -> Outcome:
    """`count` processes that share the questions and one key; the service's clock is `ahead` of theirs."""
    file, share = folder / f"clock-{count}", QUESTIONS // count
    clock = SharedClock.create(file, begin=BEGIN, processes=count)
    service = Service(clock, ahead)
    async with serving(service, Connections()) as base_url, AsyncExitStack() as stack:
        commands = (process(base_url, redis_url, str(file), str(number), str(share)) for number in range(count))
        children = await asyncio.gather(*(stack.enter_async_context(command) for command in commands))
        clock.set(BEGIN)
        running = asyncio.ensure_future(clock.run())
        results = await asyncio.gather(*(child.communicate(b"go\n") for child in children))
        running.cancel()
    by_window = [service.windows[window] for window in sorted(service.windows)]
    return Outcome(dict(service.statuses), by_window, [json.loads(out) for out, _ in results])


@pytest.fixture(scope="module")
async def outcomes(valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Outcome]:
    """By the number of processes; both run side by side, since most of the time they wait."""
    folder = tmp_path_factory.mktemp("clocks")
    one, two = await asyncio.gather(run(folder, 1, -0.6, "-"), run(folder, 2, 7.3, valkey_url))
    return {1: one, 2: two}


@pytest.mark.parametrize("processes", [1, 2])
async def test_300_questions_in_five_minutes_without_a_429(outcomes: dict[int, Outcome], processes: int):
    outcome = outcomes[processes]
    sys.stdout.write(f"{processes} processes: {outcome}\n")
    assert outcome.statuses == {200: QUESTIONS}
    assert [report["outcomes"] for report in outcome.reports] == [{"answered": QUESTIONS // processes}] * processes
    assert sum(outcome.by_window[:WINDOWS]) >= 0.95 * LIMIT * WINDOWS
