import asyncio
import itertools
from collections.abc import Sequence

import pytest
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.http.turns import MIXED_SECONDS, Turns

pytestmark = pytest.mark.anyio


class Requests:
    """Requests that say when they begin, and end when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.turns = Turns(lambda: self.now)
        self.begun: list[str] = []
        self.holding: dict[str, object] = {}

    async def _ask(self, name: str) -> None:
        self.holding[name] = await self.turns.begin(name[0])
        self.begun.append(name)

    async def ask(self, *names: str) -> Sequence[asyncio.Task[None]]:
        """The first letter of a name is the caller."""
        tasks = [asyncio.ensure_future(self._ask(name)) for name in names]
        await settled()
        return tasks

    async def end(self, name: str) -> None:
        self.turns.end(self.holding.pop(name))
        await settled()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_caller_that_is_alone_waits_for_nobody():
    requests = Requests()
    await requests.ask("a1")
    requests.now += MIXED_SECONDS + 0.1
    await requests.ask("a2", "a3", "a4")
    assert requests.begun == ["a1", "a2", "a3", "a4"]
    assert requests.holding["a4"] is None


async def test_several_callers_take_turns_however_many_requests_each_has():
    requests = Requests()
    await requests.ask("z1", "a1", "a2", "a3", "a4", "b1", "c1")
    # Until the second one asked, nobody else did.
    assert requests.begun == ["z1", "a1"]
    for name in ("a1", "a2", "b1", "c1", "a3", "a4"):
        await requests.end(name)
    assert requests.begun == ["z1", "a1", "a2", "b1", "c1", "a3", "a4"]


async def test_ending_twice_takes_nobody_elses_turn():
    requests = Requests()
    await requests.ask("z1", "a1", "b1", "c1")
    first = requests.holding["a1"]
    await requests.end("a1")
    requests.turns.end(first)
    await settled()
    assert requests.begun == ["z1", "a1", "b1"]


async def test_one_that_takes_long_holds_up_nobody():
    requests = Requests()
    requests.turns = Turns(itertools.count().__next__)
    # Nobody ends anything.
    tasks = await requests.ask("a1", "b1", "c1", "b2")
    _, waiting = await asyncio.wait(tasks, timeout=HANG_SECONDS)
    assert not waiting
    assert requests.begun == ["a1", "b1", "c1", "b2"]


async def test_who_gives_up_takes_no_turn():
    requests = Requests()
    _, _, second, _ = await requests.ask("z1", "a1", "b1", "c1")
    second.cancel()
    await requests.end("a1")
    assert requests.begun == ["z1", "a1", "c1"]
