"""The feed: everything first, then changes; one look for all, none while nobody looks, and nobody is waited for."""

import asyncio
import json
import math
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from libraries_io_mcp.status.feed import UNREAD, Feed, Viewer
from libraries_io_mcp.status.sources import Sources, encoded


def read(message: str) -> tuple[str, dict[str, Any]]:
    """Event and data, as a browser reads them."""
    event, data, *end = message.split("\n")
    assert end == ["", ""]
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


class Numbered:
    """Traces, log records and slices by number, as their owners tell them."""

    def __init__(self) -> None:
        self.last = 0

    def since(self, number: int, limit: int = 1000) -> tuple[list[dict[str, Any]], int]:
        return [{"number": each} for each in range(max(number, 0) + 1, self.last + 1)][-limit:], self.last

    def trace(self, _trace_id: str) -> None:
        return None


class Logs(Numbered):
    """The same with what is left out."""

    def since(self, number: int, limit: int = 1000) -> tuple[list[dict[str, Any]], int, int]:
        found, newest = super().since(number, limit)
        return found, newest, newest - number - len(found)


class Stage:
    """A feed whose ticks the test lets happen, one by one, and whose threads are none."""

    def __init__(self, parts: dict[str, Callable[[], Any]] | None = None, max_viewers: int = 20) -> None:
        self.looks = 0
        self.value = 0
        self.traces, self.logs, self.slices = Numbered(), Logs(), Numbered()
        self.ticks = asyncio.Semaphore(0)
        given = parts or {"changing": lambda: self.value, "still": lambda: "same"}
        sources = Sources({"looks": self.look, **given}, self.slices, self.traces, self.logs)
        self.feed = Feed(sources, now=lambda: 5.0, sleep=self.sleep, in_thread=self.in_thread, max_viewers=max_viewers)

    def look(self) -> int:
        self.looks += 1
        return 0

    async def sleep(self, _seconds: float) -> None:
        await self.ticks.acquire()

    async def in_thread(self, work: Callable[[], str]) -> str:
        return work()


async def next_of(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    async with asyncio.timeout(30):
        return read(await viewer.next())


async def test_everything_first_then_what_has_changed():
    stage = Stage()
    stage.traces.last = stage.logs.last = 2
    async with stage.feed.viewing() as viewer:
        event, data = await next_of(viewer)
        assert event == "snapshot"
        assert data["parts"] == {"looks": 0, "changing": 0, "still": "same"}
        assert [each["number"] for each in data["traces"]] == [1, 2]
        assert data["at"] == 5.0
        stage.value, stage.logs.last = 1, 3
        stage.ticks.release()
        event, data = await next_of(viewer)
        assert event == "tick"
        assert data["parts"] == {"changing": 1}
        assert ([each["number"] for each in data["logs"]], data["traces"]) == ([3], [])


async def test_several_viewers_share_one_look():
    stage = Stage()
    async with AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(stage.feed.viewing()) for _ in range(5)]
        for viewer in viewers:
            assert (await next_of(viewer))[0] == "snapshot"
        before = stage.looks
        stage.ticks.release()
        for viewer in viewers:
            assert (await next_of(viewer))[0] == "tick"
        assert stage.looks == before + 1


async def test_a_newcomer_takes_nothing_from_the_others():
    stage = Stage()
    async with stage.feed.viewing() as first:
        await next_of(first)
        stage.value, stage.traces.last = 7, 1
        async with stage.feed.viewing() as second:
            _, data = await next_of(second)
            assert (data["parts"]["changing"], len(data["traces"])) == (7, 1)
            stage.ticks.release()
            _, data = await next_of(first)
            assert (data["parts"], len(data["traces"])) == ({"changing": 7}, 1)


async def test_nothing_is_looked_at_while_nobody_looks():
    stage = Stage()
    async with stage.feed.viewing():
        assert stage.feed.viewers == 1
    looks = stage.looks
    for _ in range(10):
        stage.ticks.release()
        await asyncio.sleep(0)
    assert (stage.looks, stage.feed.viewers) == (looks, 0)


async def test_who_comes_back_is_told_everything_again():
    stage = Stage()
    for _ in range(3):
        async with stage.feed.viewing() as viewer:
            event, data = await next_of(viewer)
            assert (event, data["parts"]["still"]) == ("snapshot", "same")
            stage.ticks.release()
            await next_of(viewer)


async def test_a_slow_viewer_is_sent_away_and_the_others_are_not():
    stage = Stage()
    async with stage.feed.viewing() as slow, stage.feed.viewing() as quick:
        await next_of(quick)
        for _ in range(UNREAD):
            assert not slow.dropped.is_set()
            stage.ticks.release()
            await next_of(quick)
        assert slow.dropped.is_set()
        assert not quick.dropped.is_set()


async def test_there_is_room_for_so_many():
    stage = Stage(max_viewers=2)
    async with stage.feed.viewing():
        assert not stage.feed.full
        async with stage.feed.viewing():
            assert stage.feed.full
    assert not stage.feed.full


async def test_a_part_that_fails_does_not_take_the_others_along():
    def broken() -> None:
        raise RuntimeError("the key is 12345")

    stage = Stage({"broken": broken, "fine": lambda: 1})
    async with stage.feed.viewing() as viewer:
        _, data = await next_of(viewer)
    assert data["parts"]["broken"] == {"unavailable": "RuntimeError"}
    assert data["parts"]["fine"] == 1


async def test_a_source_that_fails_ends_no_viewer():
    stage = Stage()

    def broken(_number: int, _limit: int = 0) -> Any:
        raise RuntimeError

    async with stage.feed.viewing() as viewer:
        await next_of(viewer)
        whole, stage.logs.since = stage.logs.since, broken  # type: ignore[method-assign] # breaks for one tick
        stage.ticks.release()
        await asyncio.sleep(0.01)
        stage.logs.since = whole  # type: ignore[method-assign]
        stage.ticks.release()
        assert (await next_of(viewer))[0] == "tick"


@pytest.mark.parametrize("hostile", ["</script>\n\ndata: x", "event: x\r\n\r\n", "\u2028\x00\u202e"])
async def test_no_text_can_leave_its_message(hostile: str):
    stage = Stage({hostile[:0] + "part": lambda: {"text": hostile}})
    async with stage.feed.viewing() as viewer:
        _, data = await next_of(viewer)
    assert data["parts"]["part"] == {"text": hostile}


def test_what_json_does_not_have_is_text():
    assert json.loads(encoded({"value": math.nan, "list": [math.inf, 1.5]})) == {"value": "nan", "list": ["inf", 1.5]}
