"""Webhook: the version-4 body over a real socket; what each answer leads to; who never gets the token."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.alert_receiver import LONG, AlertReceiver
from tests.support.alerts import NOON, a_notification, an_alert

from libraries_io_mcp.alerting.channels.http_post import HttpPost
from libraries_io_mcp.alerting.channels.notification import LONGEST_REASON, Delivered, Failed, Result
from libraries_io_mcp.alerting.channels.webhook import Webhook

pytestmark = pytest.mark.anyio
TOKEN = "ca9a-webhook-token-11"


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    with AlertReceiver() as receiver:
        yield receiver


@asynccontextmanager
async def webhook(url: str, **options: Any) -> AsyncIterator[Webhook]:
    headers = {"Authorization": f"Bearer {TOKEN}", **options.pop("headers", {})}
    post = HttpPost(seconds=options.pop("seconds", 10.0), now=lambda: NOON, headers=headers)
    channel = Webhook(f"{url}/hooks/secret-path?key=secret-query", post, **options)
    yield channel
    await channel.aclose()


async def deliver(url: str, **options: Any) -> Result:
    async with webhook(url, **options) as channel:
        return await channel.deliver(a_notification())


async def test_the_body_is_that_of_alertmanager(receiver: AlertReceiver):
    over = an_alert(resolved=NOON + 60, tool="b")
    async with webhook(receiver.url, external_url="http://127.0.0.1:8000/status") as channel:
        assert await channel.deliver(a_notification(an_alert(tool="a"), over)) == Delivered()
    (body,) = receiver.bodies
    labels = {"alertname": "HighErrorRate", "service_name": "libraries-io-mcp", "severity": "high"}
    assert body == {
        "receiver": "webhook",
        "status": "firing",
        "alerts": [
            {
                "status": "firing",
                "labels": {**labels, "tool": "a"},
                "annotations": {"summary": "HighErrorRate is the case"},
                "startsAt": "2026-09-21T14:13:20.000Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "",
                "fingerprint": an_alert(tool="a").fingerprint,
            },
            {
                "status": "resolved",
                "labels": {**labels, "tool": "b"},
                "annotations": {"summary": "HighErrorRate is the case"},
                "startsAt": "2026-09-21T14:13:20.000Z",
                "endsAt": "2026-09-21T14:14:20.000Z",
                "generatorURL": "",
                "fingerprint": over.fingerprint,
            },
        ],
        "notification_reason": "first notification",
        "groupLabels": {"alertname": "HighErrorRate", "service_name": "libraries-io-mcp"},
        "commonLabels": labels,
        "commonAnnotations": {"summary": "HighErrorRate is the case"},
        "routeLabels": {},
        "externalURL": "http://127.0.0.1:8000/status",
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate", service_name="libraries-io-mcp"}',
        "truncatedAlerts": 0,
    }


@pytest.mark.parametrize(
    ("count", "reminds", "reason"),
    [(0, False, "first notification"), (1, False, "new alerts added"), (1, True, "repeat interval elapsed")],
)
async def test_why_it_is_told(receiver: AlertReceiver, count: int, reminds: bool, reason: str):
    async with webhook(receiver.url) as channel:
        await channel.deliver(a_notification(count=count, reminds=reminds))
    assert receiver.bodies[0]["notification_reason"] == reason


async def test_headers_token_and_signature(receiver: AlertReceiver):
    assert await deliver(receiver.url, headers={"X-Team": "a b"}, hmac_secret="0123456789abcdef") == Delivered()
    (request,) = receiver.requests
    assert request.path == "/hooks/secret-path?key=secret-query"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["X-Team"] == "a b"
    assert request.headers["Content-Type"] == "application/json"
    expected = hmac.new(b"0123456789abcdef", request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Signature-256"] == f"sha256={expected}"


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (204, Delivered()),
        (400, Failed("it answered 400")),
        (401, Failed("it answered 401")),
        (410, Failed("it answered 410")),
        (408, Failed("it answered 408")),
        (429, Failed("it answered 429")),
        (500, Failed("it answered 500")),
        (503, Failed("it answered 503")),
    ],
)
async def test_what_an_answer_leads_to(receiver: AlertReceiver, status: int, result: Result):
    receiver.status, receiver.reply = status, b""
    assert await deliver(receiver.url) == result


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 21 Sep 2026 14:15:20 GMT", 120.0),
        ("Mon, 21 Sep 2026 14:00:00 GMT", 0.0),
        ("999999999", 3600.0),
        ("soon", None),
        ("-5", None),
    ],
)
async def test_how_long_it_asks_to_wait(receiver: AlertReceiver, asked: str, seconds: float | None):
    receiver.status, receiver.reply_headers = 429, {"Retry-After": asked}
    assert await deliver(receiver.url) == Failed("it answered 429: {}", seconds)


async def test_a_redirect_is_not_followed(receiver: AlertReceiver):
    with AlertReceiver() as elsewhere:
        receiver.status, receiver.reply_headers = 307, {"Location": f"{elsewhere.url}/"}
        result = await deliver(receiver.url)
        assert isinstance(result, Failed)
        assert "redirect" in result.reason
        assert elsewhere.requests == []


async def test_a_server_that_hangs(receiver: AlertReceiver):
    receiver.hang = True
    assert await deliver(receiver.url, seconds=0.3) == Failed("it did not answer within 0.3 s")


async def test_a_server_that_is_not_there(unused_port: int):
    result = await deliver(f"http://127.0.0.1:{unused_port}")
    assert result == Failed("connection refused: nobody listens there")


async def test_a_reply_without_end_is_not_read(receiver: AlertReceiver):
    receiver.reply = b"x" * LONG
    assert await deliver(receiver.url) == Delivered("the reply was longer than 64 KiB")
    receiver.status = 500
    assert await deliver(receiver.url) == Failed(f"it answered 500: {'x' * LONGEST_REASON}...")


async def test_what_it_says_of_a_failure_is_told_without_our_secrets(receiver: AlertReceiver):
    receiver.status = 403
    receiver.reply = f"no:\r\n secret-path, key=secret-query, secret-query, Bearer {TOKEN}, {TOKEN}".encode()
    assert await deliver(receiver.url) == Failed("it answered 403: no: ***, ***, ***, ***, ***")


async def test_an_address_that_can_not_be_used():
    result = await deliver("gopher://127.0.0.1")
    assert isinstance(result, Failed)
    assert "secret" not in result.reason


async def test_it_shows_its_host_alone():
    async with webhook("https://user:secret@hooks.example.org") as channel:
        assert repr(channel) == "Webhook(hooks.example.org)"
