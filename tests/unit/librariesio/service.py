"""What the client's tests stand on: a clock that moves by itself, a scripted service, and a client over both."""

import asyncio
import heapq
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from opentelemetry.metrics import NoOpMeter
from pydantic import SecretStr

from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.telemetry.instruments import Instruments

T = TypeVar("T")
KEY = "c0ffee00c0ffee00c0ffee00c0ffee00"
BASE = "https://libraries.example/api"
PROJECT = {"name": "left-pad", "platform": "NPM", "versions": [{"number": "1.3.0", "repository_sources": ["NPM"]}]}
JSON = {"content-type": "application/json; charset=utf-8"}


class FakeClock:
    """Time that jumps. A lone sleeper moves it; under `run` it stands still until everybody waits."""

    def __init__(self, start: float = 1_800_000_010.0) -> None:
        self.time = start
        self._shared = False
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._number = itertools.count()

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        if not self._shared:
            self.time += seconds
            return
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self.time + seconds, next(self._number), woken))
        await woken.wait()

    async def run(self, work: Coroutine[Any, Any, T], *, busy: Callable[[], bool] = lambda: False) -> T:
        """Run `work` to its end; its sleeps take no time. `busy`: whether a real server is being asked just now."""
        self._shared = True
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(200):
                await asyncio.sleep(0)
            if busy():
                await asyncio.sleep(0.001)
                continue
            if not task.done():
                if not self._sleepers:
                    await asyncio.sleep(0.001)
                    continue
                moment, _, woken = heapq.heappop(self._sleepers)
                self.time = max(self.time, moment)
                woken.set()
        return task.result()


def settings(
    *, key: str | None = KEY, timeout: float = 20.0, base_url: str = BASE, limit: int = 60
) -> LibrariesIOSettings:
    return LibrariesIOSettings(
        api_key=SecretStr(key) if key else None, base_url=base_url, timeout_seconds=timeout, rate_limit=limit
    )


def instruments() -> Instruments:
    return Instruments(NoOpMeter("test"))


def answer(data: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=JSON | headers, content=json.dumps(data))


Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


def client(handler: Handler, clock: FakeClock | None = None, **options: Any) -> LibrariesIOClient:
    clock = clock or FakeClock()
    given = {name: options.pop(name) for name in ("key", "timeout", "base_url", "limit") if name in options}
    defaults = {
        "instruments": instruments(),
        "now": clock.now,
        "sleep": clock.sleep,
        "network": httpx.MockTransport(handler),
        "cache_ttl_seconds": 0.0,
    }
    return LibrariesIOClient(settings(**given), **defaults | options)


@asynccontextmanager
async def raw_server(reply: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """A real socket: `reply` gets the request head and writes what it likes. Yields the base URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reply(head, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/api"
    finally:
        server.close()


def http_reply(body: bytes, *, status: str = "200 OK", headers: str = "Content-Type: application/json\r\n") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body
