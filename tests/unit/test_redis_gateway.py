"""What processes say to each other by a real Valkey, and what they do without it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from tests.support.polling import HANG_SECONDS
from tests.support.valkey import running_valkey

from libraries_io_mcp.redis_gateway import BACKOFF_SECONDS, RedisGateway

pytest.importorskip("redis")
pytestmark = pytest.mark.anyio


@pytest.fixture
def valkey() -> Iterator[Any]:
    with running_valkey() as server:
        yield server


class Processes:
    """Gateways of several processes, on one clock."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.now = 1000.0
        self.all: list[RedisGateway] = []

    def add(self) -> RedisGateway:
        url = f"valkey://127.0.0.1:{self._port}/0"
        gateway = RedisGateway(url, purpose="alerts are", monotonic=lambda: self.now, seconds=HANG_SECONDS)
        self.all.append(gateway)
        return gateway


@pytest.fixture
async def processes(valkey: Any) -> AsyncIterator[Processes]:
    made = Processes(valkey.port)
    yield made
    for gateway in made.all:
        await gateway.aclose()


async def test_each_hears_the_last_word_of_the_others(processes: Processes):
    one, two, three = (processes.add() for _ in range(3))
    await one.publish("weather", b"rain", 60)
    await one.publish("weather", b"sun", 60)
    await two.publish("weather", b"snow", 60)
    await two.publish("time", b"noon", 60)
    assert await one.peers("weather") == {two.me.encode(): b"snow"}
    assert await three.peers("weather") == {one.me.encode(): b"sun", two.me.encode(): b"snow"}
    assert await three.peers("nothing") == {}


async def test_a_word_ends_by_itself(processes: Processes, valkey: Any):
    one, two, client = processes.add(), processes.add(), valkey.client()
    await one.publish("weather", b"rain", 60)
    assert 0 < client.ttl(f"weather:{one.me}") <= 60
    # One that is gone is no longer asked for.
    client.delete(f"weather:{one.me}")
    client.zadd("weather", {one.me: client.time()[0] - 61})
    assert await two.peers("weather") == {}
    await two.publish("weather", b"sun", 60)
    assert client.zrange("weather", 0, -1) == [two.me.encode()]


async def test_a_lock_is_held_by_one_until_it_is_given_back_or_lost(processes: Processes, valkey: Any):
    one, two = processes.add(), processes.add()
    first, second = one.lock("leader", 60), two.lock("leader", 60)
    assert await one.acquire(first)
    assert not await two.acquire(second)
    assert await one.acquire(first)
    # Not its own, so it gives nothing back.
    await two.release(second)
    assert not await two.acquire(second)
    await one.release(first)
    assert await two.acquire(second)
    # Lost, such as by a pause that was too long: the other one has it, and it is neither renewed nor given back.
    assert not await one.acquire(first)
    await one.release(first)
    assert await two.acquire(second)
    assert 0 < valkey.client().pttl("leader") <= 60_000


@pytest.mark.parametrize("spoil", [lambda client: client.set("leader", "x"), lambda client: client.sadd("leader", "x")])
async def test_what_is_no_lock_keeps_nobody_out(
    processes: Processes, valkey: Any, spoil: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
):
    one, two, client = processes.add(), processes.add(), valkey.client()
    first, second = one.lock("leader", 60), two.lock("leader", 60)
    assert await one.acquire(first)
    client.delete("leader")
    spoil(client)
    assert await two.acquire(second)
    assert not await one.acquire(first)
    assert caplog.messages == ["leader is no lock and was removed"]


async def test_of_many_that_want_a_lock_at_once_one_gets_it(processes: Processes):
    gateways = [processes.add() for _ in range(10)]
    locks = [gateway.lock("leader", 60) for gateway in gateways]
    got = await asyncio.gather(*(each.acquire(lock) for each, lock in zip(gateways, locks, strict=True)))
    assert sorted(got) == [False] * 9 + [True]


async def test_after_a_failure_it_is_left_alone_and_asked_again(
    processes: Processes, valkey: Any, caplog: pytest.LogCaptureFixture
):
    gateway, asked = processes.add(), []

    async def ask(client: Any) -> bytes | None:
        asked.append(processes.now)
        return await client.get("x")

    port = valkey.port
    valkey.stop()
    with caplog.at_level(logging.WARNING):
        assert [await gateway.call(ask, otherwise=b"nothing") for _ in range(3)] == [b"nothing"] * 3
        processes.now += BACKOFF_SECONDS
        assert await gateway.call(ask, otherwise=b"nothing") == b"nothing"
        assert gateway.silent_seconds == BACKOFF_SECONDS
        processes.now += BACKOFF_SECONDS
        with running_valkey(port):
            assert await gateway.call(ask, otherwise=b"nothing") is None
    assert asked == [1000, 1000 + BACKOFF_SECONDS, 1000 + 2 * BACKOFF_SECONDS]
    assert [record.getMessage() for record in caplog.records] == [
        "alerts are not shared: Redis failed with ConnectionError",
        "alerts are shared again",
    ]


async def test_one_value_of_another_type_costs_that_one_alone(
    processes: Processes, valkey: Any, caplog: pytest.LogCaptureFixture
):
    gateway = processes.add()
    valkey.client().set("bad", "a text")
    valkey.client().set("good", "a text")
    for _ in range(2):
        nothing: dict[bytes, bytes] = {}
        assert await gateway.call(lambda client: client.hgetall("bad"), otherwise=nothing, name="bad") == {}
        assert await gateway.call(lambda client: client.get("good"), otherwise=None) == b"a text"
    assert caplog.messages == ["bad was refused by Redis (WRONGTYPE)"]


async def test_a_value_goes_there_and_back(processes: Processes, valkey: Any):
    gateway = processes.add()
    assert await gateway.round_trip() is None
    valkey.stop()
    assert "ConnectionError" in str(await gateway.round_trip())
