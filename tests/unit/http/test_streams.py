import asyncio

import pytest
from fastmcp.server.auth import AccessToken
from starlette.types import Message, Receive, Scope, Send
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.http.streams import LOOK_SECONDS, EndRevoked

pytestmark = pytest.mark.anyio
SCOPE: Scope = {"type": "http", "method": "GET", "headers": [(b"authorization", b"Bearer good")]}


async def test_a_stream_ends_when_its_token_is_no_longer_good():
    good = {"good"}
    slept: list[float] = []
    sent: list[Message] = []

    async def verify(token: str) -> AccessToken | None:
        return AccessToken(token=token, client_id="agent", scopes=[]) if token in good else None

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)
        if len(slept) == 3:
            good.clear()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await asyncio.Event().wait()

    async def send(message: Message) -> None:
        sent.append(message)

    async with asyncio.timeout(HANG_SECONDS):
        await EndRevoked(app, verify=verify, sleep=sleep)(SCOPE, send, send)
    assert slept == [LOOK_SECONDS] * 3
    assert sent[1:] == [{"type": "http.response.body", "body": b"", "more_body": False}]


async def test_nobody_is_asked_about_other_answers():
    async def verify(token: str) -> AccessToken | None:
        raise AssertionError(token)

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await EndRevoked(app, verify=verify)(SCOPE, send, send)
    assert len(sent) == 1
