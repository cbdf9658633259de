import asyncio
import json
from collections import Counter
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from libraries_io_mcp.http.ending import BODY, Flights, RefuseAtEnd

pytestmark = pytest.mark.anyio
CALL = b'{"jsonrpc":"2.0","id":"seven","method":"tools/call"}'
ERROR = {
    "jsonrpc": "2.0",
    "id": "seven",
    "error": {"code": -32000, "message": "The server ends: ask again in a moment."},
}


class Server:
    """The middleware in front of an application that sends what it is given and then hangs, until it may end."""

    def __init__(self, *sends: Message) -> None:
        self.flights = Flights()
        self.refused: Counter[str] = Counter()
        self.hangs = asyncio.Event()
        self.go_on = asyncio.Event()
        self.sends = sends
        self.app = RefuseAtEnd(self._serve, path="/mcp", flights=self.flights, most_bytes=1_000, refused=self.note)

    def note(self, why: str) -> None:
        self.refused[why] += 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[BODY] = (await receive())["body"]
        for message in self.sends:
            await send(message)
        self.hangs.set()
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"keep-alive")]})
        await send({"type": "http.response.body", "body": b"done"})

    async def ask(self, body: bytes = CALL, **more: Any) -> list[Message]:
        """All that is sent."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app({"type": "http", "method": "POST", "path": "/mcp", "headers": [], **more}, receive, send)
        return sent

    async def cut_short(self, **more: Any) -> list[Message]:
        """All that is sent for a request that is in flight when the server ends, and no more time is given."""
        asked = asyncio.ensure_future(self.ask(**more))
        await self.hangs.wait()
        self.flights.close()
        await self.flights.drain(0)
        return await asked


def stream(*events: bytes) -> tuple[Message, ...]:
    """The beginning of an event stream."""
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
    return (start, *({"type": "http.response.body", "body": each, "more_body": True} for each in events))


async def test_what_has_no_answer_yet_gets_a_refusal_with_its_id():
    server = Server()
    start, body = await server.cut_short()
    headers = dict(start["headers"])
    assert (start["status"], headers[b"retry-after"], headers[b"connection"]) == (503, b"2", b"close")
    assert json.loads(body["body"]) == ERROR
    assert server.refused == {"server_ends": 1}
    assert not server.flights


@pytest.mark.parametrize(
    ("body", "number"), [(b'{"id":7}', 7), (b'{"id":true}', None), (b"[1]", None), (b"{", None), (b"[" * 999, None)]
)
async def test_what_comes_afterwards_is_refused_as_well(body: bytes, number: int | None):
    server = Server()
    server.flights.close()
    start, answer = await server.ask(body)
    assert start["status"] == 503
    assert json.loads(answer["body"]) == {**ERROR, "id": number}
    assert not server.hangs.is_set()


async def test_of_a_message_that_is_too_large_no_more_is_read():
    server = Server()
    server.flights.close()
    _, answer = await server.ask(b" " * 2_000 + CALL)
    assert json.loads(answer["body"])["id"] is None


async def test_other_routes_have_refusals_of_their_own():
    server = Server()
    _, answer = await server.cut_short(path="/metrics", method="GET")
    assert json.loads(answer["body"])["error"] == "server_ends"


async def test_a_stream_ends_with_an_error():
    event = b'event: message\r\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\r\n\r\n'
    *_, last = await Server(*stream(event)).cut_short()
    assert json.loads(last["body"].partition(b"data: ")[2]) == ERROR
    assert last["more_body"] is False


async def test_a_stream_that_has_its_answer_only_ends():
    event = b'event: message\r\ndata: {"jsonrpc":"2.0","id":"seven","result":{}}\r\n\r\n'
    server = Server(*stream(event))
    *_, last = await server.cut_short()
    assert last == {"type": "http.response.body", "body": b"", "more_body": False}
    assert not server.refused


async def test_a_stream_of_news_is_not_waited_for():
    server = Server(*stream(b""))
    asked = asyncio.ensure_future(server.ask(method="GET"))
    await server.hangs.wait()
    server.flights.close()
    *_, last = await asked
    assert last == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_an_answer_within_the_time_ends_its_connection():
    server = Server()
    asked = asyncio.ensure_future(server.ask())
    await server.hangs.wait()
    server.flights.close()
    server.go_on.set()
    await server.flights.drain(3_600)
    start, body = await asked
    assert (start["headers"], body["body"]) == ([(b"connection", b"close")], b"done")
    assert not server.refused


async def test_an_answer_that_has_begun_is_left_alone():
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
    server = Server(start)
    asked = asyncio.ensure_future(server.ask())
    await server.hangs.wait()
    server.flights.close()
    await server.flights.drain(0)
    assert len(server.flights) == 1
    asked.cancel()
