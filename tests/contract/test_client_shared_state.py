"""Several clients, one real Valkey: one budget, shared answers, and what happens when it goes away."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from tests.support.polling import HANG_SECONDS
from tests.support.valkey import running_valkey
from tests.support.watched_store import WatchedStore
from tests.unit.librariesio.service import KEY, PROJECT, FakeClock, answer, client
from tests.unit.librariesio.test_quota import Service, ask

from libraries_io_mcp.librariesio.counters import Counters

pytest.importorskip("redis")


@pytest.fixture
def valkey() -> Iterator[Any]:
    with running_valkey() as server:
        yield server


def _url(server) -> SecretStr:
    return SecretStr(f"redis://127.0.0.1:{server.port}/0")


async def test_two_clients_share_one_budget(valkey):
    clock = FakeClock()
    service = Service(clock)
    clients = [
        client(service, clock, redis_url=_url(valkey), redis_seconds=HANG_SECONDS, timeout=300) for _ in range(2)
    ]

    async def work():
        await asyncio.gather(*(ask(api) for _ in range(75) for api in clients))

    stores = [WatchedStore(api._quota._counters._shared) for api in clients]
    for api, store in zip(clients, stores, strict=True):
        api._quota._counters = Counters(api._quota._counters._gateway, store)
    await clock.run(work(), busy=lambda: any(store.asked for store in stores))
    assert service.refused == 0
    assert sum(service.counts.values()) == 150
    assert sorted(service.counts.values())[-2:] == [60, 60]
    for api in clients:
        await api.aclose()


async def test_an_answer_that_one_fetched_is_a_hit_for_the_other(valkey):
    clock, asked = FakeClock(), []

    def service(request):
        asked.append(request)
        return answer(PROJECT, total="7")

    options = {"redis_url": _url(valkey), "redis_seconds": HANG_SECONDS, "cache_ttl_seconds": None}
    first, second, elsewhere = (
        client(service, clock, **options, **more) for more in ({}, {}, {"base_url": "https://other.example/api"})
    )
    fetched = await first.project("npm", "left-pad")
    clock.time += 60
    found = await second.project("npm", "left-pad")
    assert (found.source, found.age_seconds, found.total) == ("cache", 60, 7)
    assert (found.data, found.fetched_at) == (fetched.data, fetched.fetched_at)
    assert (await second.project("npm", "left-pad")).source == "cache"
    assert len(asked) == 1
    assert (await elsewhere.project("npm", "left-pad")).source == "network"
    store = valkey.client()
    kept = {key: store.get(key) for key in store.keys("*") if store.type(key) in {"string", b"string"}}
    assert kept
    assert KEY not in repr(kept)
    assert "left-pad" not in repr(list(kept))
    for api in (first, second, elsewhere):
        await api.aclose()


async def test_an_answer_too_old_for_this_process_is_asked_anew(valkey):
    clock, asked = FakeClock(), []

    def service(request):
        asked.append(request)
        return answer(PROJECT)

    patient, strict = (
        client(service, clock, redis_url=_url(valkey), redis_seconds=HANG_SECONDS, cache_ttl_seconds=seconds)
        for seconds in (None, 30.0)
    )
    await patient.project("npm", "left-pad")
    clock.time += 29
    assert (await strict.project("npm", "left-pad")).age_seconds == 29
    clock.time += 1
    assert (await strict.project("npm", "left-pad")).source == "network"
    assert len(asked) == 2
    for api in (patient, strict):
        await api.aclose()


async def test_without_the_store_the_calls_go_on_with_one_warning(valkey, caplog):
    clock = FakeClock()
    api = client(
        lambda _: answer(PROJECT), clock, redis_url=_url(valkey), redis_seconds=HANG_SECONDS, cache_ttl_seconds=None
    )
    await api.project("npm", "left-pad")
    valkey.stop()
    for number in range(5):
        await api.project("npm", f"left-pad-{number}")
        clock.time += 20
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [warning.split(":")[0] for warning in warnings] == ["answers and quota are not shared"]
    await api.aclose()
