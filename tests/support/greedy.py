"""One greedy caller and nine modest ones that share a key, in simulated time, in one process or in several."""

import asyncio
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import httpx
import pytest
from tests.unit.librariesio.service import FakeClock, client

from libraries_io_mcp.errors import CallError
from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.keys import KNOWN_KEY

LIMIT, WINDOW, WINDOWS, MODEST = 60, 60, 4, 9
EVERY_SECONDS = 15.0
"""Four questions a window; a caller's whole share would be six."""
REPLY_SECONDS = 0.2
BOUND_SECONDS = 3.0
"""What docs/decisions/quota.md promises: a turn of the callers, and the edge of a window."""
WHO: ContextVar[str] = ContextVar("who")


SEEN_SECONDS = 2.0
"""Processes tell each other this often what their callers have had."""
Route = Callable[[str, int], int]
"""By which process a caller's question goes, given how many the caller has asked before."""
ROUTES: dict[str, Route] = {
    "the greedy one alone on its process": lambda who, _asked: 0 if who == "greedy" else 1 + int(who[-1]) % 2,
    "all in turn": lambda _who, asked: asked % 3,
    "all on one": lambda _who, _asked: 0,
}


class Run:
    """Four windows: the greedy caller has 20 questions in flight all the time, each modest one asks now and then."""

    def __init__(
        self, ahead: float, *, processes: int = 1, route: Route = ROUTES["all on one"], **options: Any
    ) -> None:
        self.clock = FakeClock()
        self.route = route
        self.asked: Counter[str] = Counter()
        self.waits: dict[str, list[float]] = defaultdict(list)
        self.failed: Counter[str] = Counter()
        self.last_failure: dict[str, float] = {}
        self.statuses: list[int] = []
        app = create_app(keys={KNOWN_KEY: LIMIT}, now=lambda: self.clock.time + ahead)
        run = self

        class Watched(httpx.ASGITransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                await run.clock.sleep(REPLY_SECONDS)
                reply = await super().handle_async_request(request)
                run.statuses.append(reply.status_code)
                return reply

        network, base_url = Watched(app=app), "http://sandbox.test/api"
        given = {
            "network": network,
            "key": KNOWN_KEY,
            "base_url": base_url,
            "timeout": 20,
            "caller": WHO.get,
            **options,
        }
        self.apis = [client(pytest.fail, self.clock, **given) for _ in range(processes)]
        self.end = self.clock.time + WINDOWS * WINDOW

    async def ask(self, who: str, number: int) -> None:
        begun = self.clock.time
        try:
            self.asked[who] += 1
            await self.apis[self.route(who, self.asked[who])].search(f"{who} {number}")
        except CallError as error:
            self.failed[who] += 1
            self.last_failure[who] = begun
            # An agent would wait as long as it is told to; this one is greedy.
            await self.clock.sleep(min(error.retry_after or 1, 1.0))
        else:
            self.waits[who].append(self.clock.time - begun)

    async def greedy(self, number: int) -> None:
        WHO.set("greedy")
        while self.clock.time < self.end:
            await self.ask("greedy", number)
            number += 1000

    async def modest(self, number: int) -> None:
        who = f"modest {number}"
        WHO.set(who)
        await self.clock.sleep(number * EVERY_SECONDS / MODEST)
        for question in range(int(WINDOWS * WINDOW / EVERY_SECONDS)):
            begun = self.clock.time
            await self.ask(who, question)
            await self.clock.sleep(max(begun + EVERY_SECONDS - self.clock.time, 0))

    async def work(self) -> None:
        for _ in range(2):
            for api in self.apis:
                await api._replicas.beat()
        others = [asyncio.create_task(api.keep_in_touch()) for api in self.apis]
        tasks = [asyncio.create_task(self.greedy(number)) for number in range(20)]
        tasks += [asyncio.create_task(self.modest(number)) for number in range(MODEST)]
        await asyncio.gather(*tasks)
        for task in others:
            task.cancel()

    def store_is_asked(self) -> bool:
        """Whether an answer of Valkey is on its way: meanwhile the clock stands still."""
        gateways = [api._replicas._gateway for api in self.apis]
        return any(gateway is not None and gateway.pool._in_use_connections for gateway in gateways)

    async def to_the_end(self) -> list[float]:
        """How long the modest ones waited from the second window on, the longest last."""
        await self.clock.run(self.work(), busy=self.store_is_asked)
        for api in self.apis:
            await api.aclose()
        assert set(self.statuses) == {200}
        modest = {who: waits for who, waits in self.waits.items() if who != "greedy"}
        assert len(modest) == MODEST
        # The first window may be spent before anybody knows of the others; by the second one they are known.
        first = int(WINDOW / EVERY_SECONDS) + 1
        late = sorted(wait for waits in modest.values() for wait in waits[first:])
        middle = late[len(late) // 2]
        sys.stdout.write(f"worst {late[-1]:.2f} s, median {middle:.2f} s; {len(self.statuses)} requests\n")
        # What the modest ones leave is not wasted.
        assert len(self.statuses) >= 0.9 * WINDOWS * LIMIT
        return late
