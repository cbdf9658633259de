"""Alertmanager's API as it is asked: what is sent, and what its answers lead to. The real one is in tests/e2e."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.alert_receiver import AlertReceiver
from tests.support.alerts import NOON, an_alert

from libraries_io_mcp.alerting.channels.alertmanager import Alertmanager
from libraries_io_mcp.alerting.channels.http_post import HttpPost
from libraries_io_mcp.alerting.channels.notification import Delivered, Failed

pytestmark = pytest.mark.anyio


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    with AlertReceiver() as receiver:
        yield receiver


@asynccontextmanager
async def alertmanager(url: str, limit: float = 5.0, **options: Any) -> AsyncIterator[Alertmanager]:
    def now() -> float:
        return NOON

    made = Alertmanager(f"{url}/prefix/", HttpPost(seconds=limit, now=now, **options), now=now)
    yield made
    await made.aclose()


async def test_alerts_are_sent_as_prometheus_does(receiver: AlertReceiver):
    firing, over = an_alert(), an_alert("Over", resolved=NOON + 60)
    async with alertmanager(receiver.url) as channel:
        assert await channel.push([firing, over]) == Delivered()
    assert receiver.posted("/prefix/api/v2/alerts") == [
        [
            {
                "labels": firing.labels,
                "annotations": firing.annotations,
                "startsAt": "2026-09-21T14:13:20.000Z",
                "endsAt": "2026-09-21T14:17:20.000Z",
            },
            {
                "labels": over.labels,
                "annotations": over.annotations,
                "startsAt": "2026-09-21T14:13:20.000Z",
                "endsAt": "2026-09-21T14:14:20.000Z",
            },
        ]
    ]


async def test_whether_it_answers(receiver: AlertReceiver):
    async with alertmanager(receiver.url) as channel:
        assert await channel.ask() == Delivered()
        receiver.status, receiver.reply = 503, b"no  leader\r\n"
        assert await channel.ask() == Failed("it answered 503: no leader")
    assert [request.path for request in receiver.requests] == ["/prefix/api/v2/status"] * 2


async def test_it_is_logged_in_with_a_password_or_a_header(receiver: AlertReceiver):
    async with alertmanager(receiver.url, username="ann", password="ca9a") as channel:
        receiver.status, receiver.reply = 401, b"who is ann:ca9a, YW5uOmNhOWE="
        assert await channel.push([an_alert()]) == Failed("it answered 401: who is ann:***, ***")
    async with alertmanager(receiver.url, headers={"X-Token": "ca9a"}) as channel:
        assert await channel.push([an_alert()]) == Failed("it answered 401: who is ann:***, YW5uOmNhOWE=")
    first, second = receiver.requests
    assert first.headers["Authorization"] == "Basic YW5uOmNhOWE="
    assert second.headers["X-Token"] == "ca9a"


async def test_one_that_hangs_or_is_not_there(receiver: AlertReceiver, unused_port: int):
    receiver.hang = True
    async with alertmanager(receiver.url, 0.3) as channel:
        assert await channel.push([an_alert()]) == Failed("it did not answer within 0.3 s")
    async with alertmanager(f"http://127.0.0.1:{unused_port}") as channel:
        assert await channel.ask() == Failed("connection refused: nobody listens there")
        assert repr(channel) == "Alertmanager(127.0.0.1)"
