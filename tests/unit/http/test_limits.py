import asyncio
import time
from collections import Counter
from typing import Any

import pytest
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.types import Message, Receive, Scope, Send
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.http.limits import CALLER, LimitCalls, Places, caller_of
from libraries_io_mcp.settings import LimitSettings

pytestmark = pytest.mark.anyio
CALL = b'{"jsonrpc":"2.0","id":1}'


class Server:
    """The middleware in front of an application that answers when it is told to."""

    def __init__(self, *, logs_in: bool = False, **limits: Any) -> None:
        self.refused: Counter[str] = Counter()
        self.inside: list[str] = []
        self.entered = asyncio.Semaphore(0)
        self.go_on = asyncio.Event()
        self.tidied_up = asyncio.Event()
        self.tidied_up.set()
        self.places = Places(LimitSettings(**limits), time.monotonic, keeps_sessions=False)
        self.app = LimitCalls(
            self._serve,
            path="/mcp",
            places=self.places,
            logs_in=logs_in,
            refused=self._note,
        )

    def _note(self, reason: str) -> None:
        self.refused[reason] += 1

    async def _serve(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.inside.append(scope[CALLER])
        self.entered.release()
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        await self.tidied_up.wait()

    async def ask(self, host: str, body: bytes = CALL, **more: Any) -> Message:
        """The start of the answer."""

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        return await self.hear(host, receive, **more)

    async def hear(self, host: str, receive: Receive, **more: Any) -> Message:
        """The same for a body that comes in parts."""
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": [], "client": (host, 1), **more}
        await self.app(scope, receive, send)
        return sent[0]

    def asking(self, *hosts: str, body: bytes = CALL) -> list[asyncio.Task[Message]]:
        return [asyncio.ensure_future(self.ask(host, body)) for host in hosts]


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def header(answer: Message, name: bytes) -> bytes | None:
    return dict(answer["headers"]).get(name)


async def test_a_caller_has_so_many_calls_at_once():
    server = Server(max_concurrent_calls_per_caller=2)
    tasks = server.asking("10.0.0.1", "10.0.0.1", "10.0.0.2")
    await settled()
    answer = await server.ask("10.0.0.1")
    assert (answer["status"], header(answer, b"retry-after")) == (429, b"1")
    assert server.refused == {"caller_busy": 1}
    server.go_on.set()
    assert [(await task)["status"] for task in tasks] == [204, 204, 204]
    assert (await server.ask("10.0.0.1"))["status"] == 204


async def test_whoever_has_the_whole_answer_may_ask_again():
    server = Server(max_concurrent_calls_per_caller=1, max_concurrent_calls=1, max_queued_calls=0)
    server.tidied_up.clear()
    server.go_on.set()
    (first,) = server.asking("10.0.0.1")
    await settled()
    assert not first.done()
    (second,) = server.asking("10.0.0.1")
    await settled()
    server.tidied_up.set()
    assert [(await each)["status"] for each in (first, second)] == [204, 204]
    assert not server.refused


async def test_further_calls_wait_and_their_callers_take_turns():
    server = Server(max_concurrent_calls=1, max_queued_calls=4)
    tasks = server.asking("10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2")
    await settled()
    assert server.inside == ["client 10.0.0.1"]
    answer = await server.ask("10.0.0.3")
    assert (answer["status"], header(answer, b"retry-after")) == (503, b"5")
    assert server.refused == {"server_busy": 1}
    server.go_on.set()
    assert {(await task)["status"] for task in tasks} == {204}
    # The other caller's call came last and is let in second of those that waited.
    assert [each[-1] for each in server.inside] == ["1", "1", "2", "1", "1"]


async def test_a_call_that_gives_up_takes_no_place():
    server = Server(max_concurrent_calls=1)
    first, second, third = server.asking("10.0.0.1", "10.0.0.2", "10.0.0.3")
    await settled()
    second.cancel()
    first.cancel()
    await settled()
    assert server.inside == ["client 10.0.0.1", "client 10.0.0.3"]
    server.go_on.set()
    assert (await third)["status"] == 204
    assert (await server.ask("10.0.0.2"))["status"] == 204


async def test_a_notification_is_let_through_when_no_call_would_be():
    server = Server(max_concurrent_calls_per_caller=1)
    tasks = server.asking("10.0.0.1")
    await settled()
    tasks += server.asking("10.0.0.1", body=b'{"jsonrpc":"2.0","method":"notifications/cancelled"}')
    async with asyncio.timeout(HANG_SECONDS):
        await server.entered.acquire()
        await server.entered.acquire()
    server.go_on.set()
    assert {(await task)["status"] for task in tasks} == {204}


async def test_of_those_who_have_not_logged_in_nothing_is_read():
    server = Server(logs_in=True, max_request_bytes=1_000)
    server.go_on.set()
    large = b"x" * 2_000
    assert (await server.ask("10.0.0.1", large))["status"] == 204
    token = AccessToken(token="t", client_id="agent", scopes=[])
    assert (await server.ask("10.0.0.1", large, user=AuthenticatedUser(token)))["status"] == 413


@pytest.mark.parametrize(
    ("host", "caller"),
    [
        ("10.0.0.1", "client 10.0.0.1"),
        ("::ffff:10.0.0.1", "client 10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "client 2001:db8:1:2::"),
        ("unknown", "client unknown"),
        ("", "client "),
    ],
)
def test_without_a_token_the_address_is_the_caller(host: str, caller: str):
    assert caller_of({"client": (host, 1)}) == caller
    assert caller_of({}) == "client "


def test_with_a_token_it_is_whom_the_token_names():
    token = AccessToken(token="t", client_id="agent", scopes=[])
    assert caller_of({"client": ("10.0.0.1", 1), "user": AuthenticatedUser(token)}) == "token agent"


async def test_bodies_have_so_much_room():
    size = 1_000
    server = Server(max_request_bytes=size, max_held_bytes_per_caller=2 * size, max_held_bytes=3 * size)
    body = CALL.ljust(size)
    tasks = server.asking("10.0.0.1", "10.0.0.1", body=body)
    await settled()
    answer = await server.ask("10.0.0.1", body)
    assert (answer["status"], header(answer, b"retry-after")) == (429, b"5")
    tasks += server.asking("10.0.0.2", body=body)
    await settled()
    assert server.places.in_use()["held_bytes"] == (3 * size, 3 * size)
    answer = await server.ask("10.0.0.3", body)
    assert (answer["status"], header(answer, b"retry-after")) == (503, b"5")
    assert server.refused == {"too_many_bytes": 2}
    server.go_on.set()
    assert [(await task)["status"] for task in tasks] == [204, 204, 204]
    assert server.places.in_use()["held_bytes"] == (0, 3 * size)


async def test_half_a_body_takes_its_room_and_gives_it_back_when_its_client_leaves():
    server = Server()
    parts: asyncio.Queue[Message] = asyncio.Queue()
    parts.put_nowait({"type": "http.request", "body": b"x" * 1_000, "more_body": True})
    half = asyncio.ensure_future(server.hear("10.0.0.1", parts.get))
    await settled()
    assert server.places.in_use()["held_bytes"][0] == 1_000
    parts.put_nowait({"type": "http.disconnect"})
    with pytest.raises(IndexError):  # nothing was answered
        await half
    assert server.places.in_use()["held_bytes"][0] == 0


async def test_what_is_in_use():
    server = Server(max_concurrent_calls=1, max_queued_calls=7)
    tasks = server.asking("10.0.0.1", "10.0.0.2", "10.0.0.3")
    await settled()
    used = server.places.in_use()
    assert (used["calls"], used["queued_calls"]) == ((1, 1), (2, 7))
    server.go_on.set()
    assert {(await task)["status"] for task in tasks} == {204}
    used = server.places.in_use()
    assert (used["calls"], used["queued_calls"]) == ((0, 1), (0, 7))
