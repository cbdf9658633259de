"""What replicas say to each other by a real Valkey, and what they do without it."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.polling import HANG_SECONDS
from tests.support.valkey import running_valkey

from libraries_io_mcp.alerting.shared_store import PREFIX, REST_SECONDS, SharedStore, redis_store

pytest.importorskip("redis")


@pytest.fixture
def valkey() -> Iterator[Any]:
    with running_valkey() as server:
        yield server


@pytest.fixture
def client(valkey: Any) -> Iterator[Any]:
    found = redis_store(f"valkey://127.0.0.1:{valkey.port}/0", HANG_SECONDS)
    yield found
    found.close()


def test_each_hears_the_last_word_of_the_others(client: Any):
    one, two, three = (SharedStore(client, monotonic=lambda: 0.0) for _ in range(3))
    one.say("weather", b"rain", 60)
    one.say("weather", b"sun", 60)
    two.say("weather", b"snow", 60)
    two.say("time", b"noon", 60)
    assert one.others("weather") == {two.me.encode(): b"snow"}
    assert three.others("weather") == {one.me.encode(): b"sun", two.me.encode(): b"snow"}
    assert three.others("nothing") == {}


def test_a_word_ends_by_itself(client: Any):
    one, two = (SharedStore(client, monotonic=lambda: 0.0) for _ in range(2))
    one.say("weather", b"rain", 60)
    assert 0 < client.ttl(f"{PREFIX}weather:{one.me}") <= 60
    # One that is gone is no longer asked for.
    client.delete(f"{PREFIX}weather:{one.me}")
    client.zadd(f"{PREFIX}weather", {one.me: client.time()[0] - 61})
    assert two.others("weather") == {}
    two.say("weather", b"sun", 60)
    assert client.zrange(f"{PREFIX}weather", 0, -1) == [two.me.encode()]


def test_after_a_failure_it_is_left_alone_and_asked_again(caplog: pytest.LogCaptureFixture):
    now = 1000.0
    asked: list[str] = []
    store = SharedStore(asked, monotonic=lambda: now)

    def fail(client: list[str]) -> str:
        client.append("asked")
        raise ConnectionError

    with caplog.at_level(logging.WARNING):
        assert [store.ask(fail, otherwise="nothing") for _ in range(3)] == ["nothing"] * 3
        assert asked == ["asked"]
        now += REST_SECONDS
        assert store.ask(fail, otherwise="nothing") == "nothing"
        now += REST_SECONDS
        assert store.ask(len, otherwise=0) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "alerts are not shared: Redis failed with ConnectionError",
        "alerts are shared again",
    ]
