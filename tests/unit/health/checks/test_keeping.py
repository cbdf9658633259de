"""The cache and the shared store: the real client, and a real Valkey that is stopped."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from tests.support.valkey import running_valkey
from tests.unit.librariesio.service import PROJECT, FakeClock, answer, client

from libraries_io_mcp.errors import CallError
from libraries_io_mcp.health.checks.keeping import cache_performance, storage_connectivity

pytestmark = pytest.mark.anyio
DAY = 86_400.0


@pytest.fixture
def valkey() -> Iterator[Any]:
    with running_valkey() as server:
        yield server


async def test_memory_is_always_there():
    found = await storage_connectivity(client(lambda _: answer(PROJECT)).vitals)()
    assert (found.status, found.details) == ("healthy", {"store": "memory"})


async def test_the_store_that_is_configured(valkey: Any):
    url = SecretStr(f"redis://127.0.0.1:{valkey.port}/0")
    api = client(lambda _: answer(PROJECT), redis_url=url, redis_seconds=30.0)
    ping = storage_connectivity(api.vitals)
    assert (await ping()).status == "healthy"
    valkey.client().config_set("maxmemory", "1")
    found = await ping()
    assert found.status == "degraded"
    assert "OutOfMemory" in str(found.error)
    valkey.stop()
    found = await ping()
    assert found.status == "degraded"
    assert "REDIS_URL" in str(found.what_to_do)
    await api.aclose()


async def test_a_store_that_wants_a_password(valkey: Any):
    valkey.client().config_set("requirepass", "right")
    api = client(lambda _: answer(PROJECT), redis_url=SecretStr(f"redis://:wrong@127.0.0.1:{valkey.port}/0"))
    found = await storage_connectivity(api.vitals)()
    assert found.status == "degraded"
    assert "wrong" not in str(found)
    await api.aclose()


async def test_unknown_until_something_was_looked_up_then_by_hits():
    api = client(lambda _: answer(PROJECT), cache_ttl_seconds=DAY)
    ping = cache_performance(api.vitals)
    assert (await ping()).status == "unknown"
    for _ in range(4):
        await api.project("npm", "left-pad")
    found = await ping()
    assert found.status == "healthy"
    assert found.details["recent_hit_rate"] == 0.75


async def test_a_cache_that_is_too_small():
    api = client(lambda _: answer(PROJECT), cache_ttl_seconds=DAY, cache_max_entries=3, limit=1000)
    ping = cache_performance(api.vitals)
    for number in range(60):
        await api.project("npm", f"p{number}")
    found = await ping()
    assert found.status == "degraded"
    assert "CACHE_MAX_ENTRIES" in str(found.what_to_do)


async def test_old_answers_degrade_until_they_are_long_ago():
    clock, well = FakeClock(), [True]
    api = client(lambda _: answer(PROJECT) if well[0] else answer({}, 503), clock, cache_ttl_seconds=60.0)
    ping = cache_performance(api.vitals)
    await api.project("npm", "left-pad")
    well[0] = False
    clock.time += 61
    try:
        reply = await api.project("npm", "left-pad")
    except CallError as error:
        raise AssertionError("there is an old answer") from error
    assert reply.source == "stale"
    found = await ping()
    assert found.status == "degraded"
    assert "old answer" in str(found.error)
    for _ in range(25):
        found = await ping()
    assert found.status == "healthy"
