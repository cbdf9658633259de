"""Replicas with one real Valkey: one of them tells people, for all of them, whoever that is."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.support.alerts import NOON
from tests.support.polling import HANG_SECONDS
from tests.support.valkey import running_valkey
from tests.unit.alerting.test_service import World, world

from libraries_io_mcp.alerting.leader_election import (
    BY_HAND,
    GRACE_SECONDS,
    LEADER,
    LEASE_SECONDS,
    SEEN,
    STATE,
    LeaderElection,
)
from libraries_io_mcp.alerting.notification_log import MISSING_SECONDS
from libraries_io_mcp.alerting.shared_samples import SharedSamples
from libraries_io_mcp.redis_gateway import RedisGateway

pytest.importorskip("redis")
pytestmark = pytest.mark.anyio
FIRING, RESOLVED = ("QueueLong", "firing"), ("QueueLong", "resolved")


@pytest.fixture
def valkey() -> Iterator[Any]:
    with running_valkey() as server:
        yield server


class Team:
    """Replicas, each with samples of its own, which they share if `samples` are; all of their clocks go together."""

    def __init__(self, stack: AsyncExitStack, folder: Path, valkey: Any, *, samples: bool = False) -> None:
        self._stack = stack
        self._folder = folder
        self._url = f"valkey://127.0.0.1:{valkey.port}/0"
        self._samples = samples
        self.store = valkey.client()
        self.replicas: list[World] = []
        self.now = NOON

    async def add(self) -> World:
        gateway = RedisGateway(self._url, purpose="alerts are", monotonic=lambda: self.now, seconds=HANG_SECONDS)
        self._stack.push_async_callback(gateway.aclose)
        folder = self._folder / str(len(self.replicas))
        folder.mkdir(exist_ok=True)
        given: dict[str, Any] = {"election": LeaderElection(gateway), "instance": gateway.me, "now": self.now}
        if self._samples:
            given["shared_samples"] = lambda collect: SharedSamples(gateway, collect, {"queue_length"})
        self.replicas.append(await self._stack.enter_async_context(world(folder, **given)))
        await self.replicas[-1].service.restore()
        return self.replicas[-1]

    async def steps(self, count: int, *, seconds: float = 15.0, without: World | None = None) -> None:
        for _ in range(count):
            self.now += seconds
            for each in self.replicas:
                if each is not without:
                    await each.step(self.now - each.now)

    @property
    def told(self) -> list[tuple[str, str]]:
        """What people heard, from whomever."""
        return [each for replica in self.replicas for each in replica.inbox.told]

    @property
    def leaders(self) -> list[bool]:
        return [replica.election is not None and replica.election.is_leader for replica in self.replicas]


@pytest.fixture
async def team(tmp_path: Path, valkey: Any) -> AsyncIterator[Team]:
    async with AsyncExitStack() as stack:
        found = Team(stack, tmp_path, valkey)
        for _ in range(3):
            await found.add()
        yield found


async def test_three_that_see_an_alert_tell_it_once(team: Team):
    for each in team.replicas:
        each.queue = 11.0
    await team.steps(5)
    assert team.leaders == [True, False, False]
    assert team.told == [FIRING]
    for each in team.replicas:
        each.queue = 0.0
    await team.steps(3)
    assert team.told == [FIRING, RESOLVED]


async def test_what_only_another_one_sees_is_told_too(team: Team):
    team.replicas[2].queue = 11.0
    await team.steps(6)
    assert team.told == [FIRING]
    team.replicas[2].queue = 0.0
    await team.steps(3)
    assert team.told == [FIRING, RESOLVED]
    assert team.replicas[2].inbox.got == []


async def test_the_next_one_leads_and_repeats_nothing(team: Team):
    for each in team.replicas:
        each.queue = 11.0
    await team.steps(5)
    dead = team.replicas[0]
    # What is left of a killed one goes by itself, after ten seconds and ninety.
    team.store.delete(LEADER)
    await team.steps(3, without=dead)
    assert team.leaders[1:] == [True, False]
    assert team.told == [FIRING]
    team.store.delete(*team.store.keys(f"{SEEN}:*"))
    for each in team.replicas:
        each.queue = 0.0
    await team.steps(3, without=dead)
    assert team.told == [FIRING, RESOLVED]


async def test_one_that_ends_hands_over_at_once_and_comes_back_with_what_is_known(team: Team):
    for each in team.replicas:
        each.queue = 11.0
    await team.steps(5)
    gone = team.replicas.pop(0)
    await gone.service.save(at_end=True)
    await gone.election.close()
    await team.steps(1)
    assert team.leaders == [True, False]
    again = await team.add()
    again.queue = 11.0
    await team.steps(5)
    assert team.told == []
    assert gone.inbox.told == [FIRING]


async def test_an_alert_that_only_a_dead_one_saw_is_over_after_a_while(team: Team):
    team.replicas[2].queue = 11.0
    await team.steps(5)
    assert team.told == [FIRING]
    dead = team.replicas[2]
    team.store.delete(*team.store.keys(f"{SEEN}:*"))
    await team.steps(3, without=dead)
    assert team.told == [FIRING]
    await team.steps(int(MISSING_SECONDS / 15) + 1, without=dead)
    assert team.told == [FIRING, RESOLVED]


async def test_a_valkey_that_is_away_for_a_moment_makes_nobody_tell_beside_the_one_who_leads(team: Team, valkey: Any):
    for each in team.replicas:
        each.queue = 11.0
    await team.steps(2)
    port = valkey.port
    valkey.stop()
    await team.steps(1, seconds=LEASE_SECONDS - 1)
    await team.steps(1, seconds=0.5)
    assert team.leaders == [True, False, False]
    with running_valkey(port):
        await team.steps(3)
        assert team.leaders == [True, False, False]
        assert team.told == [FIRING]


async def test_without_valkey_each_tells_what_is_new_and_nobody_what_is_not(team: Team, valkey: Any):
    for each in team.replicas:
        each.queue = 11.0
    await team.steps(5)
    valkey.stop()
    await team.steps(3)
    assert team.told == [FIRING]
    assert team.leaders == [True, True, True]
    for each in team.replicas:
        each.queue = 0.0
    await team.steps(3)
    # Better three times than not at all.
    assert team.told.count(RESOLVED) == len(team.replicas)


def fingerprint_at(replica: World) -> str:
    return next(each["fingerprint"] for each in replica.service.facts()["active"] if each["name"] == FIRING[0])


async def test_what_a_person_resolves_at_one_is_resolved_at_all(team: Team):
    for each in team.replicas:
        each.queue = 11.0
    await team.steps(5)
    assert await team.replicas[1].service.resolve(fingerprint_at(team.replicas[1]))
    await team.steps(2)
    assert team.told == [FIRING, RESOLVED]
    for each in team.replicas:
        assert [alert["resolved_by_hand"] for alert in each.service.facts()["active"]] == [True]
    # Also by those that lead later, and by one that starts later.
    team.store.delete(LEADER)
    (await team.add()).queue = 11.0
    await team.steps(3, without=team.replicas[0])
    assert team.told == [FIRING, RESOLVED]


async def test_what_fires_anew_is_told_anew(team: Team):
    for each in team.replicas:
        each.queue = 11.0
    await team.steps(5)
    assert await team.replicas[1].service.resolve(fingerprint_at(team.replicas[1]))
    await team.steps(2)
    for queue in (0.0, 11.0):
        for each in team.replicas:
            each.queue = queue
        await team.steps(int(GRACE_SECONDS / 15) + 1)
    assert team.told == [FIRING, RESOLVED, FIRING]


async def test_what_was_resolved_while_valkey_was_away_is_told_when_it_is_back(team: Team, valkey: Any):
    for each in team.replicas:
        each.queue = 11.0
    await team.steps(5)
    port = valkey.port
    valkey.stop()
    assert await team.replicas[2].service.resolve(fingerprint_at(team.replicas[2]))
    with running_valkey(port):
        await team.steps(4)
        for each in team.replicas:
            assert [alert["resolved_by_hand"] for alert in each.service.facts()["active"]] == [True]


async def test_what_another_version_says_is_not_heard(team: Team):
    team.replicas[1].queue = 11.0
    await team.steps(1)
    members = SEEN
    for number, text in enumerate(("{", '[{"unknown": 1}]', "7")):
        team.store.zadd(members, {f"other{number}": team.store.time()[0]})
        team.store.set(f"{members}:other{number}", text)
    await team.steps(5)
    assert team.told == [FIRING]


@pytest.mark.parametrize(
    ("name", "value"),
    [(BY_HAND, {"x": "not a number"}), (BY_HAND, "no hash"), (STATE, "{"), (STATE, {"a": "1"}), (SEEN, "no set")],
)
async def test_one_bad_value_costs_only_itself(team: Team, name: str, value: Any, caplog: pytest.LogCaptureFixture):
    team.store.delete(name)
    if isinstance(value, dict):
        team.store.hset(name, mapping=value)
    else:
        team.store.set(name, value)
    for each in team.replicas:
        each.queue = 11.0
    await team.steps(5)
    assert team.told == [FIRING]
    # Another one leads: what it can't read it says, and begins anew.
    dead = team.replicas[0]
    team.store.delete(LEADER)
    await team.steps(3, without=dead)
    assert team.leaders[1:] == [True, False]
    assert caplog.messages
