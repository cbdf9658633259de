import logging
from typing import ClassVar

import pytest
from limits.aio.storage import MemoryStorage
from tests.unit.librariesio.service import FakeClock

from libraries_io_mcp.librariesio.counters import Counters
from libraries_io_mcp.redis_gateway import BACKOFF_SECONDS, RedisGateway

pytest.importorskip("redis")


class Failing(MemoryStorage):
    """A shared store that can be switched off."""

    STORAGE_SCHEME: ClassVar = ["failing"]
    down = False
    asked = 0

    async def incr(self, key, expiry, amount=1):
        self.asked += 1
        if self.down:
            raise ConnectionError("redis://:secret@host")
        return await super().incr(key, expiry, amount)


def counters_of(clock: FakeClock, shared: MemoryStorage) -> Counters:
    return Counters(RedisGateway("redis://127.0.0.1:1/0", purpose="quota is", monotonic=clock.now), shared)


async def test_two_count_together():
    shared = MemoryStorage()
    one, two = (counters_of(FakeClock(), shared) for _ in range(2))
    assert await one.incr("x", 60, 2) == 2
    assert await two.incr("x", 60, 1) == 3
    assert await one.get("x") == 3


async def test_alone_it_goes_on_with_its_own_count(caplog):
    clock, shared = FakeClock(), Failing()
    counters = counters_of(clock, shared)
    await counters.incr("x", 60, 1)
    shared.down = True
    assert await counters.incr("x", 60, 1) == 2
    assert await counters.incr("x", 60, 1) == 3
    assert shared.asked == 2
    clock.time += BACKOFF_SECONDS
    assert await counters.incr("x", 60, 1) == 4
    clock.time += BACKOFF_SECONDS
    shared.down = False
    # The store is told what was counted without it.
    assert await counters.incr("x", 60, 1) == 5
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert messages == ["quota is not shared: Redis failed with ConnectionError", "quota is shared again"]
    assert "secret" not in caplog.text


async def test_an_unknown_counter_is_0():
    assert await Counters().get("x") == pytest.approx(0)
