"""Replicas with one real Valkey: each evaluates over the samples of all, so a threshold is one for all of them."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.support.alerts import NOON
from tests.support.polling import HANG_SECONDS
from tests.support.valkey import running_valkey
from tests.unit.alerting.test_leader_election import FIRING, RESOLVED, Team
from tests.unit.alerting.test_service import states

from libraries_io_mcp.alerting.leader_election import LEADER, SEEN
from libraries_io_mcp.alerting.promql import LOOKBACK_SECONDS
from libraries_io_mcp.alerting.rounds import Samples
from libraries_io_mcp.alerting.shared_samples import MOST_SAID, TOPIC, SharedSamples
from libraries_io_mcp.redis_gateway import RedisGateway

pytest.importorskip("redis")
pytestmark = pytest.mark.anyio


@pytest.fixture
def valkey() -> Iterator[Any]:
    with running_valkey() as server:
        yield server


@pytest.fixture
async def team(tmp_path: Path, valkey: Any) -> AsyncIterator[Team]:
    """Each has a part of what is too much together: more than 10."""
    async with AsyncExitStack() as stack:
        found = Team(stack, tmp_path, valkey, samples=True)
        for _ in range(3):
            (await found.add()).queue = 4.0
        yield found


class Processes:
    """Each shares its series with the others."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.gateways: list[RedisGateway] = []

    def add(self, *series: dict[str, str], names: set[str] | None = None) -> SharedSamples:
        return self.measuring(lambda: [(labels, 1.5) for labels in series], names)

    def measuring(self, collect: Callable[[], Samples], names: set[str] | None = None) -> SharedSamples:
        url = f"redis://127.0.0.1:{self._port}/0"
        gateway = RedisGateway(url, purpose="alerts are", monotonic=lambda: NOON, seconds=HANG_SECONDS)
        self.gateways.append(gateway)
        return SharedSamples(gateway, collect, names)


@pytest.fixture
async def processes(valkey: Any) -> AsyncIterator[Processes]:
    made = Processes(valkey.port)
    yield made
    for gateway in made.gateways:
        await gateway.aclose()


async def collected(samples: SharedSamples) -> list[tuple[Mapping[str, str], float]]:
    await samples.exchange()
    return samples.collect()


async def test_a_threshold_is_one_for_all(team: Team):
    await team.steps(6)
    assert [states(each.service.facts()) for each in team.replicas] == [{"QueueLong": "firing"}] * 3
    assert [each.service.facts()["active"][0]["value"] for each in team.replicas] == [12.0] * 3
    assert team.told == [FIRING]
    team.replicas[1].queue = 0.0
    await team.steps(3)
    assert team.told == [FIRING, RESOLVED]


async def test_the_next_one_that_leads_knows_what_the_one_before_knew(team: Team):
    await team.steps(6)
    dead = team.replicas[0]
    team.store.delete(LEADER)
    # What a dead one measured last is seen for as long as Prometheus would look back.
    await team.steps(int(LOOKBACK_SECONDS / 15) - 1, without=dead)
    assert team.told == [FIRING]
    team.store.delete(*team.store.keys(f"{SEEN}:*"))
    await team.steps(4, without=dead)
    assert team.told == [FIRING, RESOLVED]


async def test_without_valkey_each_judges_by_its_own_until_it_is_back(team: Team, valkey: Any):
    await team.steps(6)
    port = valkey.port
    valkey.stop()
    await team.steps(int(LOOKBACK_SECONDS / 15) + 4)
    assert [states(each.service.facts()) for each in team.replicas] == [{}] * 3
    with running_valkey(port):
        await team.steps(6)
        assert [states(each.service.facts()) for each in team.replicas] == [{"QueueLong": "firing"}] * 3


async def test_what_another_one_says_is_heard_once_with_its_labels(processes: Processes):
    own, theirs = {"__name__": "queue_length", "at": "1"}, {"__name__": "queue_length", "at": "2 \N{BULLET}"}
    one, other = processes.add(own), processes.add(theirs)
    assert await collected(one) == [(own, 1.5)]
    assert await collected(other) == [(theirs, 1.5), (own, 1.5)]
    first = await collected(one)
    assert first == [(own, 1.5), (theirs, 1.5)]
    assert await collected(one) == [(own, 1.5)]
    await collected(other)
    again = await collected(one)
    assert again == first
    # Of one identity, by which the samples are kept cheaply.
    assert again[1][0] is first[1][0]


async def test_a_series_more_is_heard_with_the_others(processes: Processes):
    series = [{"__name__": "a"}]
    one = processes.measuring(lambda: [(each, 2.0) for each in series])
    other = processes.add()
    for _ in range(3):
        await collected(one)
        assert await collected(other) == [(each, 2.0) for each in series]
        series.append({"__name__": f"a{len(series)}"})


async def test_only_so_many_of_what_the_rules_look_at_are_shared(processes: Processes):
    wanted = [{"__name__": "wanted", "number": str(number)} for number in range(MOST_SAID + 1)]
    one = processes.add({"__name__": "other"}, *wanted, names={"wanted"})
    assert len(await collected(one)) == MOST_SAID + 2
    assert [labels for labels, _value in await collected(processes.add())] == wanted[:-1]


@pytest.mark.parametrize("text", [b"", b"\0\0\0\4what", b"\xff" * 40, (9).to_bytes(4, "big") + b"no zlib.."])
async def test_what_another_version_says_is_not_heard(processes: Processes, valkey: Any, text: bytes):
    own = {"__name__": "queue_length"}
    one = processes.add(own)
    store = valkey.client()
    store.zadd(TOPIC, {"other": store.time()[0]})
    store.set(f"{TOPIC}:other", text)
    assert await collected(one) == [(own, 1.5)]
