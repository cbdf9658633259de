"""Clients as several replicas have them, over one real Valkey: one asks for all, and alone each takes its part."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.valkey import running_valkey
from tests.unit.librariesio.service import PROJECT, FakeClock, answer, client
from tests.unit.librariesio.test_quota import Service, ask

from libraries_io_mcp.errors import CallError
from libraries_io_mcp.librariesio.breaker import FAILURES
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.shared_answers import TURN_PREFIX
from libraries_io_mcp.redis_gateway import BACKOFF_SECONDS

pytest.importorskip("redis")
pytestmark = pytest.mark.anyio


@pytest.fixture
def valkey() -> Iterator[Any]:
    with running_valkey() as server:
        yield server


class Slow:
    """A service that answers, or fails, only when it is told to."""

    def __init__(self, *, status: int = 200) -> None:
        self.asked = 0
        self.may_answer, self._arrived = asyncio.Event(), asyncio.Event()
        self.status = status

    async def __call__(self, _request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self._arrived.set()
        await self.may_answer.wait()
        return answer(PROJECT) if self.status == 200 else httpx.Response(self.status, json={"error": "no"})

    async def is_asked(self) -> None:
        with anyio.fail_after(HANG_SECONDS):
            await self._arrived.wait()


class Replicas:
    """So many clients, and one service for all of them."""

    def __init__(self, valkey: Any, clock: FakeClock) -> None:
        self._url = SecretStr(f"redis://127.0.0.1:{valkey.port}/0")
        self.clock = clock
        self.clients: list[LibrariesIOClient] = []

    def add(self, service: Any, **options: Any) -> LibrariesIOClient:
        given = {"redis_url": self._url, "redis_seconds": HANG_SECONDS, "cache_ttl_seconds": None, **options}
        self.clients.append(client(service, self.clock, **given))
        return self.clients[-1]

    async def beat(self) -> None:
        """All see each other."""
        for _ in range(2):
            for each in self.clients:
                await each._replicas.beat()


@pytest.fixture
async def replicas(valkey: Any) -> AsyncIterator[Replicas]:
    found = Replicas(valkey, FakeClock())
    yield found
    for each in found.clients:
        await each.aclose()


async def test_one_asks_for_all(replicas: Replicas):
    service = Slow()
    clients = [replicas.add(service) for _ in range(3)]
    asking = [asyncio.ensure_future(each.project("npm", "left-pad")) for each in clients]
    await service.is_asked()
    service.may_answer.set()
    replies = await asyncio.gather(*asking)
    assert service.asked == 1
    assert sorted(each.source for each in replies) == ["cache", "cache", "network"]


async def test_who_waits_for_another_process_has_a_span_of_it(replicas: Replicas, valkey: Any):
    """Else the trace has a gap that nothing explains."""
    spans, tracers, service = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False), Slow()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    first, second = replicas.add(service), replicas.add(service, tracer_provider=tracers)
    asking = asyncio.ensure_future(first.project("npm", "left-pad"))
    await service.is_asked()
    waiting = asyncio.ensure_future(second.project("npm", "left-pad"))
    store = valkey.client()
    await asyncio.to_thread(poll_until, lambda: "cmdstat_mget" in store.info("commandstats"), "a look for the answer")
    replicas.clock.time += 2
    service.may_answer.set()
    assert [each.source for each in await asyncio.gather(asking, waiting)] == ["network", "cache"]
    (span,) = spans.get_finished_spans()
    assert (span.name, span.end_time - span.start_time) == ("libraries_io.replica.wait", 2_000_000_000)
    assert span.attributes == {"libraries_io.endpoint": "/{platform}/{name}"}


async def test_when_the_one_fails_the_others_ask_themselves(replicas: Replicas):
    failing, fine = Slow(status=404), Slow()
    first, second = replicas.add(failing), replicas.add(fine)
    asking = asyncio.ensure_future(first.project("npm", "left-pad"))
    await failing.is_asked()
    waiting = asyncio.ensure_future(second.project("npm", "left-pad"))
    failing.may_answer.set()
    fine.may_answer.set()
    with pytest.raises(CallError):
        await asking
    assert (await waiting).source == "network"


async def test_one_that_was_killed_holds_nobody_up(replicas: Replicas, valkey: Any):
    service = Slow()
    service.may_answer.set()
    first, second = replicas.add(service), replicas.add(service)
    await first.project("npm", "left-pad")
    store = valkey.client()
    (kept,) = (key for key in store.keys("*:answer:*"))
    # What a killed process leaves behind: its claim, which ends by itself, and no answer.
    store.delete(kept)
    digest = kept.rpartition(b":")[2] if isinstance(kept, bytes) else kept.rpartition(":")[2].encode()
    store.set(TURN_PREFIX.encode() + digest, b"somebody", px=300)
    with anyio.fail_after(HANG_SECONDS):
        assert (await second.project("npm", "left-pad")).source == "network"
    assert service.asked == 2
    assert not store.keys(f"{TURN_PREFIX}*")


async def test_without_valkey_each_takes_its_part_of_the_quota(replicas: Replicas, valkey: Any):
    clock = replicas.clock
    service = Service(clock)
    clients = [replicas.add(service, cache_ttl_seconds=0, timeout=300) for _ in range(3)]
    for each in clients:
        await ask(each)
    await replicas.beat()
    assert [each.vitals.replicas() for each in clients] == [3, 3, 3]
    valkey.stop()
    clock.time += 60

    async def work() -> None:
        await asyncio.gather(*(ask(api) for _ in range(40) for api in clients))

    await clock.run(work())
    assert service.refused == 0
    # 20 a minute for each of the three.
    assert sorted(service.counts.values())[-2:] == [60, 60]
    assert all(each.quota().limit == 60 for each in clients)


async def test_one_that_has_asked_nothing_yet_knows_what_the_others_have_used(replicas: Replicas, valkey: Any):
    clock = replicas.clock
    service = Service(clock)
    clients = [replicas.add(service, cache_ttl_seconds=0, timeout=300) for _ in range(3)]
    busy, idle = clients[:2], clients[2]
    for each in busy:
        for _ in range(24):
            await ask(each)
    await replicas.beat()
    valkey.stop()

    async def work() -> None:
        await asyncio.gather(*(ask(api) for _ in range(20) for api in clients))

    await clock.run(work())
    assert service.refused == 0
    # Of the twelve that were left four for each, then twenty for each that has so many questions.
    first, second = sorted(service.counts)[:2]
    assert (service.counts[first], service.counts[second]) == (60, 48)
    assert idle.quota().limit == 60


async def test_what_was_used_alone_counts_when_valkey_is_back(replicas: Replicas, valkey: Any):
    clock = replicas.clock
    service = Service(clock)
    clients = [replicas.add(service, cache_ttl_seconds=0) for _ in range(2)]
    await replicas.beat()
    port = valkey.port
    valkey.stop()
    for each in clients:
        for _ in range(10):
            await ask(each)
    with running_valkey(port):
        clock.time += BACKOFF_SECONDS
        for each in clients:
            await each._quota.look()
        assert [each._quota._counters.are_alone for each in clients] == [False, False]
        await clients[0]._quota.look()
        assert [each.quota().remaining for each in clients] == [40, 40]


async def test_a_service_that_is_down_for_one_is_left_alone_by_all(replicas: Replicas):
    down, fine = Slow(status=503), Slow()
    down.may_answer.set()
    fine.may_answer.set()
    first, second = replicas.add(down), replicas.add(fine)
    for number in range(FAILURES):
        with pytest.raises(CallError):
            await first.project("npm", f"left-pad-{number}")
    await replicas.beat()
    with pytest.raises(CallError) as refused:
        await second.project("npm", "left-pad")
    assert refused.value.error_type == "circuit_open"
    assert fine.asked == 0
    # It is over when the one who said so says so.
    down.status = 200
    replicas.clock.time += 31
    await first.project("npm", "left-pad")
    await replicas.beat()
    assert (await second.project("npm", "left-pad-2")).source == "network"
