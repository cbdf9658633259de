"""Alertmanager's API as it is asked: what is sent, and what its answers lead to. The real one is in tests/e2e."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from tests.support.alert_receiver import LONG, AlertReceiver
from tests.support.alerts import NOON, an_alert

from libraries_io_mcp.alerting.channels.alertmanager import Alertmanager
from libraries_io_mcp.alerting.channels.notification import Done, GiveUp, Retry

pytestmark = pytest.mark.anyio


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    with AlertReceiver() as receiver:
        yield receiver


@asynccontextmanager
async def alertmanager(url: str, limit: float = 5.0) -> AsyncIterator[Alertmanager]:
    made = Alertmanager(f"{url}/prefix/", now=lambda: NOON + 120, limit_seconds=limit)
    yield made
    await made.aclose()


async def test_alerts_are_sent_as_prometheus_does(receiver: AlertReceiver):
    firing, over = an_alert(), an_alert("Over", resolved=NOON + 60)
    async with alertmanager(receiver.url) as channel:
        assert await channel.push([firing, over], 15.0) == Done()
        assert await channel.push([], 15.0) == Done()
    assert receiver.posted("/prefix/api/v2/alerts") == [
        [
            {
                "labels": firing.labels,
                "annotations": firing.annotations,
                "startsAt": "2026-09-21T14:13:20.000Z",
                "endsAt": "2026-09-21T14:16:20.000Z",
            },
            {
                "labels": over.labels,
                "annotations": over.annotations,
                "startsAt": "2026-09-21T14:13:20.000Z",
                "endsAt": "2026-09-21T14:14:20.000Z",
            },
        ]
    ]


async def test_when_it_was_started(receiver: AlertReceiver):
    path = "/prefix/api/v2/status"
    async with alertmanager(receiver.url) as channel:
        receiver.replies[path] = {"uptime": "2026-09-21T14:00:00.000Z", "versionInfo": {}}
        assert await channel.started() == "2026-09-21T14:00:00.000Z"
        receiver.replies[path] = {"something": "else"}
        assert await channel.started() == Retry("it answered something else")
        receiver.replies[path] = {"uptime": "now", "config": "x" * LONG}
        assert await channel.started() == ""
        del receiver.replies[path]
        receiver.reply = b"<html>"
        assert await channel.started() == Retry("it answered something else")
        receiver.status = 503
        assert await channel.started() == Retry("it answered 503")


async def test_a_silence_is_made_prolonged_and_made_anew(receiver: AlertReceiver):
    path = "/prefix/api/v2/silences"
    receiver.replies[path] = {"silenceID": "one"}
    async with alertmanager(receiver.url) as channel:
        assert await channel.silence({"b": "2", "a": "1"}, NOON + 300, None) == "one"
        assert await channel.silence({"a": "1"}, NOON + 600, "one") == "one"
        first, second = receiver.posted(path)
        assert first["matchers"] == [
            {"name": "a", "value": "1", "isRegex": False, "isEqual": True},
            {"name": "b", "value": "2", "isRegex": False, "isEqual": True},
        ]
        assert (first["startsAt"], first["endsAt"]) == ("2026-09-21T14:15:20.000Z", "2026-09-21T14:18:20.000Z")
        assert ("id" in first, second["id"]) == (False, "one")
        receiver.status = 404
        assert await channel.silence({"a": "1"}, NOON + 600, "lost") == GiveUp("it answered 404")
    assert [each.get("id") for each in receiver.posted(path)[2:]] == ["lost", None]


async def test_one_that_hangs_or_is_not_there(receiver: AlertReceiver, unused_port: int):
    receiver.hang = True
    async with alertmanager(receiver.url, 0.3) as channel:
        assert await channel.started() == Retry("it did not answer within 0.3 s")
        assert await channel.push([an_alert()], 15.0) == Retry("it did not answer within 0.3 s")
    async with alertmanager(f"http://127.0.0.1:{unused_port}") as channel:
        assert await channel.started() == Retry("it can't be reached (ConnectError)")
        assert repr(channel) == "Alertmanager(127.0.0.1)"
