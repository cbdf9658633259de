"""A process of its own that asks a sandbox as fast as the quota lets it, in shared time.

    python -m tests.support.asking_process BASE_URL REDIS_URL CLOCK NUMBER COUNT

Says `ready`, waits for a line, asks COUNT questions at once, and prints what came of them as JSON. REDIS_URL may be
`-`; CLOCK is the file of the shared clock, NUMBER the place of this process in it.
"""

import asyncio
import json
import ssl
import sys
from collections import Counter
from pathlib import Path

import httpx
from opentelemetry.metrics import NoOpMeter
from pydantic import SecretStr
from tests.support.polling import HANG_SECONDS
from tests.support.shared_clock import GONE, SharedClock, Sleeper
from tests.support.watched_store import WatchedStore

from libraries_io_mcp.errors import CallError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.counters import Counters
from libraries_io_mcp.sandbox.keys import KNOWN_KEY
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.telemetry.instruments import Instruments


class Network(httpx.AsyncHTTPTransport):
    """The network; while it is used the process does not only wait."""

    def __init__(self, sleeper: Sleeper) -> None:
        # The sandbox speaks plain HTTP: the machine's certificates need not be loaded.
        super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self._sleeper = sleeper

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._sleeper.busy += 1
        self._sleeper.tell()
        try:
            reply = await super().handle_async_request(request)
            body = b"".join([chunk async for chunk in reply.aiter_raw()])
            await reply.aclose()
        finally:
            self._sleeper.busy -= 1
            self._sleeper.tell()
        return httpx.Response(reply.status_code, headers=reply.headers, stream=httpx.ByteStream(body))


async def main(base_url: str, redis_url: str, clock: SharedClock, number: int, count: int) -> dict[str, object]:
    """Ask; gives the outcomes and how long it took."""
    settings = LibrariesIOSettings(api_key=SecretStr(KNOWN_KEY), base_url=base_url)
    instruments, sleeper = Instruments(NoOpMeter("test")), Sleeper(clock, number)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    start = clock.now()
    api = LibrariesIOClient(
        settings,
        instruments=instruments,
        network=Network(sleeper),
        now=clock.now,
        sleep=sleeper.sleep,
        cache_ttl_seconds=0,
        redis_seconds=HANG_SECONDS,
        redis_url=None if redis_url == "-" else SecretStr(redis_url),
    )
    if redis_url != "-":
        store = WatchedStore(api._quota._counters._shared)
        sleeper.also_busy = lambda: store.asked > 0
        api._quota._counters = Counters(api._quota._counters._gateway, store)
    patient, outcomes = api.asking(timeout_seconds=900), Counter[str]()

    async def ask(page: int) -> None:
        try:
            await patient.contributors("npm", "react", page=page, per_page=1)
            outcomes["answered"] += 1
        except CallError as error:
            outcomes[error.error_type] += 1

    await asyncio.gather(*(ask(1 + number * count + question) for question in range(count)))
    clock.waits(number, GONE)
    await api.aclose()
    return {"outcomes": dict(outcomes), "seconds": round(clock.now() - start, 1)}


if __name__ == "__main__":
    _, address, redis, file, place, questions = sys.argv
    found = asyncio.run(main(address, redis, SharedClock(Path(file)), int(place), int(questions)))
    sys.stdout.write(json.dumps(found) + "\n")
