"""Replicas with one real Valkey: one of them tells people, for all of them, whoever that is."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.support.polling import HANG_SECONDS
from tests.support.valkey import running_valkey
from tests.unit.alerting.test_service import World, world

from libraries_io_mcp.alerting.shared_state import ORPHAN_SECONDS, PREFIX, SharedState, redis_store

pytest.importorskip("redis")
pytestmark = pytest.mark.anyio
FIRING, RESOLVED = ("QueueLong", "firing"), ("QueueLong", "resolved")


@pytest.fixture
def valkey() -> Iterator[Any]:
    with running_valkey() as server:
        yield server


class Team:
    """Replicas, each with samples of its own; all of their clocks go together."""

    def __init__(self, stack: AsyncExitStack, folder: Path, valkey: Any) -> None:
        self._stack = stack
        self._folder = folder
        self._url = f"valkey://127.0.0.1:{valkey.port}/0"
        self.store = redis_store(self._url, HANG_SECONDS)
        stack.callback(self.store.close)
        self.replicas: list[World] = []

    async def add(self) -> World:
        client = redis_store(self._url, HANG_SECONDS)
        self._stack.callback(client.close)
        folder = self._folder / str(len(self.replicas))
        folder.mkdir(exist_ok=True)
        state = SharedState(client, monotonic=time.monotonic)
        self.replicas.append(await self._stack.enter_async_context(world(folder, state_file=state)))
        if len(self.replicas) > 1:
            self.replicas[-1].now = self.replicas[0].now
        self.replicas[-1].service.restore()
        return self.replicas[-1]

    async def steps(self, count: int, *, without: World | None = None) -> None:
        for _ in range(count):
            for each in self.replicas:
                if each is not without:
                    await each.step()

    @property
    def told(self) -> list[tuple[str, str]]:
        """What people heard, from whomever."""
        return [each for replica in self.replicas for each in replica.inbox.told]

    @property
    def leaders(self) -> list[bool]:
        return [replica.state_file is not None and replica.state_file.leads for replica in self.replicas]


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
    team.store.delete(f"{PREFIX}leader")
    await team.steps(3, without=dead)
    assert team.leaders[1:] == [True, False]
    assert team.told == [FIRING]
    team.store.delete(*team.store.keys(f"{PREFIX}seen:*"))
    for each in team.replicas:
        each.queue = 0.0
    await team.steps(3, without=dead)
    assert team.told == [FIRING, RESOLVED]


async def test_one_that_ends_hands_over_at_once_and_comes_back_with_what_is_known(team: Team):
    for each in team.replicas:
        each.queue = 11.0
    await team.steps(5)
    gone = team.replicas.pop(0)
    gone.service.save(at_end=True)
    gone.state_file.close()
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
    team.store.delete(*team.store.keys(f"{PREFIX}seen:*"))
    await team.steps(3, without=dead)
    assert team.told == [FIRING]
    await team.steps(int(ORPHAN_SECONDS / 15) + 1, without=dead)
    assert team.told == [FIRING, RESOLVED]


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
