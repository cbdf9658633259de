"""What an open status page costs the server: calls a second and CPU time a call, with a page open and with none.

50 clients ask all the time, over one set of connections. The page is opened and closed beside them, and a window with
it open is compared with the window with none next to it. What opening costs is measured apart: a window begins when the
page has had its first tick, and ends with a tick, so that each holds the same number of looks.
"""

import asyncio
import math
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

from benchmarks.http_load import LONGEST_ANSWER_SECONDS, TOOL, HttpCaller, answer_from
from benchmarks.peers import OURS, HttpPeer, clean, sandbox

CLIENTS: Final = 50
TICK_SECONDS: Final = 2.0
LONGEST_TICK_SECONDS: Final = 30.0
EVENT_END: Final = b"\n\n"


class Viewer:
    """An open page as the server sees one: asks as the page's script does, and takes every event as it comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.bytes = 0

    @classmethod
    async def open(cls, port: int) -> Self:
        """Ask for the events; reads the snapshot."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=16_000_000)
        writer.write(
            f"GET /status/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: */*\r\n"
            f"cache-control: no-cache\r\nreferer: http://127.0.0.1:{port}/status\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"the status page's events begin {head!r}")
        viewer = cls(reader, writer)
        if await viewer.event() != "snapshot":
            raise SystemExit("the status page's events do not begin with a snapshot")
        return viewer

    async def event(self) -> str:
        """The name of the next event, when the whole of it has been read."""
        found = b""
        async with asyncio.timeout(LONGEST_TICK_SECONDS):
            while not found.endswith(EVENT_END):
                size = int(await self._reader.readline(), 16)
                found += (await self._reader.readexactly(size + 2))[:-2]
        self.bytes += len(found)
        return found.partition(b"\n")[0].removeprefix(b"event: ").decode()

    async def close(self) -> None:
        """Go away, as a tab that is closed."""
        self._writer.close()
        await self._writer.wait_closed()


class Load:
    """Sessions that ask again as soon as they have their answers."""

    def __init__(self) -> None:
        self.calls = 0

    @asynccontextmanager
    async def running(self, port: int, clients: int) -> AsyncIterator[Self]:
        """Ask until the block ends."""
        sessions = [await asyncio.to_thread(HttpCaller, port) for _ in range(clients)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._ask(port, each)) for each in sessions]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
        for session in sessions:
            session.__exit__()

    async def _ask(self, port: int, caller: HttpCaller) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                writer.write(caller.request(TOOL))
                async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
                    await answer_from(reader)
                self.calls += 1
        finally:
            writer.close()


@dataclass(frozen=True, slots=True)
class Window:
    """What was done within some seconds, at the cost of how many CPU seconds of the server."""

    calls: int
    seconds: float
    cpu: float


class _Measure:
    """Takes windows of one server under one load."""

    def __init__(self, server: HttpPeer, load: Load, ticks: int) -> None:
        self._server, self._load, self._ticks = server, load, ticks
        self.bytes_a_tick: list[float] = []

    async def closed(self) -> Window:
        """No page is open."""
        return await self._window(asyncio.sleep(self._ticks * TICK_SECONDS))

    async def opened(self) -> Window:
        """One page is open, and has been for a tick."""
        viewer = await Viewer.open(self._server.port)
        await viewer.event()
        before = viewer.bytes
        window = await self._window(_events(viewer, self._ticks))
        self.bytes_a_tick.append((viewer.bytes - before) / self._ticks)
        await viewer.close()
        return window

    async def _window(self, work: Any) -> Window:
        calls, cpu, began = self._load.calls, self._server.cpu_seconds(), time.perf_counter()
        await work
        took = time.perf_counter() - began
        return Window(self._load.calls - calls, took, self._server.cpu_seconds() - cpu)


async def _events(viewer: Viewer, count: int) -> None:
    for _ in range(count):
        if (event := await viewer.event()) != "tick":
            raise SystemExit(f"the status page was told a {event} in place of a tick")


def status_page(rounds: int, ticks: int) -> dict[str, Any]:
    """Ratios open to closed over `rounds` pairs of windows of `ticks` looks each: means, and two standard errors."""
    with ExitStack() as stack:
        service = stack.enter_context(sandbox())
        server = stack.enter_context(HttpPeer((*OURS, "serve", "--transport", "http", "--port", "0"), clean(**service)))
        return asyncio.run(_measure(server, rounds, ticks))


async def _measure(server: HttpPeer, rounds: int, ticks: int) -> dict[str, Any]:
    async with Load().running(server.port, CLIENTS) as load:
        measure = _Measure(server, load, ticks)
        await measure.opened()
        pairs = []
        for number in range(rounds):
            # Which of the two comes first changes, so that a machine that warms up favours neither.
            if number % 2:
                opened, closed = await measure.opened(), await measure.closed()
            else:
                closed = await measure.closed()
                opened = await measure.opened()
            pairs.append((opened, closed))
    rate, rate_error = _mean([(a.calls / a.seconds) / (b.calls / b.seconds) for a, b in pairs])
    cpu, cpu_error = _mean([(a.cpu / a.calls) / (b.cpu / b.calls) for a, b in pairs])
    return {
        "rate_open_to_closed": rate,
        "rate_within": rate_error,
        "cpu_open_to_closed": cpu,
        "cpu_within": cpu_error,
        "calls_per_second": statistics.median(closed.calls / closed.seconds for _, closed in pairs),
        "bytes_a_tick": statistics.median(measure.bytes_a_tick),
        "clients": CLIENTS,
        "rounds": rounds,
    }


def _mean(ratios: Sequence[float]) -> tuple[float, float]:
    """The geometric mean of ratios, and how far it may be off: two standard errors."""
    logs = [math.log(each) for each in ratios]
    spread = statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else math.nan
    return math.exp(statistics.fmean(logs)), 2 * spread
