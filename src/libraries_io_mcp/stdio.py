"""MCP on stdin and stdout, with an end that leaves no request without an answer.

When stdin ends, the MCP SDK cancels every handler at once, and each of them is refused with "Connection closed". That
would also hit a client that only closed its writing side and waits for the rest. So the end of the input is held back
here until the requests before it are answered, for a moment at most; only what is not done by then is refused. A
signal is treated as an end of the input.
"""

import json
import logging
import os
import select
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, Final, cast

import anyio
from fastmcp import FastMCP
from fastmcp.server.context import reset_transport, set_transport
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
)
from pydantic import ValidationError

from libraries_io_mcp.stdin import lines, take_stdin

REFUSING_SECONDS: Final = 0.2
"""How long refusals may take to get out when nothing comes out any more: the client does not read, say."""
LONGEST_REFUSING_SECONDS: Final = 3.0
"""As long as they come out they are waited for, but no longer than this."""
PAUSE_SECONDS: Final = 0.002
Draining = Callable[[], AbstractContextManager[None]]

logger: Final = logging.getLogger(__name__)


class Requests:
    """The requests that came in and are not answered yet."""

    def __init__(self) -> None:
        self._open: dict[str, None] = {}
        self._changed = anyio.Event()
        self.sent = 0
        """Messages handed to the writer so far."""

    def __len__(self) -> int:
        return len(self._open)

    def came(self, message: Any) -> None:
        """A message of the client."""
        if isinstance(message, JSONRPCRequest):
            self._open[str(message.id)] = None
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            # The client does not wait for it any more, and the SDK does not answer it.
            self._close((message.params or {}).get("requestId"))

    def went(self, message: Any) -> None:
        """A message of the server has been taken by the writer."""
        self.sent += 1
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self._close(message.id)

    async def none_open(self) -> None:
        """Return when every request is answered."""
        while self._open:
            await self._changed.wait()

    def _close(self, number: object) -> None:
        self._open.pop(str(number), None)
        if not self._open:
            self._changed.set()
            self._changed = anyio.Event()


def not_readable(error: Exception) -> JSONRPCError:
    """The answer to a line that is no message, with its id if there is one to be seen in it."""
    number, code = None, PARSE_ERROR
    if isinstance(error, ValidationError):
        faults = error.errors(include_url=False)
        code = PARSE_ERROR if faults[0]["type"] == "json_invalid" else INVALID_REQUEST
        number = next((known for fault in faults if (known := _id(fault["input"])) is not None), None)
    return JSONRPCError(jsonrpc="2.0", id=number, error=ErrorData(code=code, message="not a JSON-RPC message"))


def _id(given: Any) -> int | str | None:
    # Python reads a little more than the SDK does: half a surrogate pair, for one.
    with suppress(ValueError, RecursionError):
        message = json.loads(given) if isinstance(given, str) else given
        number = message.get("id") if isinstance(message, dict) else None
        return number if isinstance(number, int | str) and not isinstance(number, bool) else None
    return None


class Incoming:
    """The client's messages. Their end is given on only when `settle` has returned."""

    def __init__(
        self,
        stream: Any,
        requests: Requests,
        drain_seconds: float,
        draining: Draining,
        refuse: Callable[[JSONRPCError], Awaitable[None]],
    ) -> None:
        self._stream = stream
        self._refuse = refuse
        self._requests = requests
        self._drain_seconds = drain_seconds
        self._draining = draining
        self._ended = False
        self._waiting = anyio.CancelScope()
        self.settled = anyio.Event()
        """No more answers are waited for."""

    @property
    def last_context(self) -> Any:
        """The context variables of whoever sent the last message."""
        return self._stream.last_context

    def end(self) -> None:
        """Behave as if the input had ended."""
        self._ended = True
        self._waiting.cancel()

    async def settle(self) -> None:
        """Wait for the answers that are due."""
        with self._draining(), anyio.move_on_after(self._drain_seconds):
            await self._requests.none_open()
        if self._requests:
            logger.warning("%d requests are refused: the server ends", len(self._requests))
        self.settled.set()

    async def receive(self) -> Any:
        """The next message."""
        try:
            item = await self._next()
        except anyio.EndOfStream:
            # The SDK asks once more after the end.
            if not self.settled.is_set():
                await self.settle()
            raise
        if isinstance(item, SessionMessage):
            self._requests.came(item.message)
        elif isinstance(item, Exception):
            # The SDK passes such a line by, and whoever sent it would wait for ever.
            await self._refuse(not_readable(item))
        return item

    async def _next(self) -> Any:
        if not self._ended:
            with anyio.CancelScope() as self._waiting:
                return await self._stream.receive()
        raise anyio.EndOfStream

    def __aiter__(self) -> "Incoming":
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    async def __aenter__(self) -> "Incoming":
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()


class Outgoing:
    """The server's messages."""

    def __init__(self, stream: Any, requests: Requests) -> None:
        self._stream = stream
        self._requests = requests

    async def send(self, item: SessionMessage) -> None:
        """Hand a message to the writer."""
        await self._stream.send(item)
        self._requests.went(item.message)

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    async def __aenter__(self) -> "Outgoing":
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()


class Wire:
    """stdout for the protocol alone: what else is printed goes to stderr.

    A message that fits into the pipe for certain is written at once; handing it to a thread, as files must, costs more
    than all our telemetry. One that does not fit goes to a thread, so that a client that does not read stops nobody.
    """

    def __init__(self) -> None:
        sys.stdout.flush()
        self._wire = os.dup(1)
        os.dup2(2, 1)
        self._room = select.poll()
        self._room.register(self._wire, select.POLLOUT)
        self.written = 0
        """Messages written so far."""

    async def write(self, text: str) -> None:
        """Write one message."""
        data = text.encode()
        if len(data) <= select.PIPE_BUF and self._room.poll(0) == [(self._wire, select.POLLOUT)]:
            os.write(self._wire, data)
        else:
            await anyio.to_thread.run_sync(self._write_all, data)
        self.written += 1

    async def flush(self) -> None:
        """Nothing is held."""

    def _write_all(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._wire, left) :]


class StdioServer:
    """Serves until stdin ends or `end` is called."""

    def __init__(self, server: FastMCP, *, drain_seconds: float, draining: Draining) -> None:
        """`draining` is entered when the end begins, and left when no more answers are waited for."""
        self._server = server
        self._drain_seconds = drain_seconds
        self._draining = draining
        self._requests = Requests()
        self._wire = Wire()
        self._incoming: Incoming | None = None
        self._served = anyio.Event()

    async def serve(self) -> None:
        """Serve. FastMCP's own `run_stdio_async` does the same, without a way to see the messages."""
        mcp: Any = self._server._mcp_server
        token = set_transport("stdio")
        try:
            async with (
                self._server._lifespan_manager(),
                # What the SDK needs of files is to give lines, to write and to flush.
                stdio_server(cast("Any", lines(take_stdin())), cast("Any", self._wire)) as (read, write),
            ):
                outgoing = Outgoing(write, self._requests)

                async def refuse(error: JSONRPCError) -> None:
                    await outgoing.send(SessionMessage(error))

                self._incoming = Incoming(read, self._requests, self._drain_seconds, self._draining, refuse)
                await mcp.run(self._incoming, outgoing, mcp.create_initialization_options())
                self._served.set()
        finally:
            reset_transport(token)

    async def end(self) -> None:
        """End as at the end of the input. The SDK goes on to wait for a line, so `serve` may never return."""
        if self._incoming is None:
            return
        self._incoming.end()
        with anyio.move_on_after(self._drain_seconds + REFUSING_SECONDS):
            await self._incoming.settled.wait()
        with anyio.move_on_after(LONGEST_REFUSING_SECONDS):
            await self._refused()

    async def _refused(self) -> None:
        """Return when all is written, or nothing more is for a moment.

        The moment is counted in turns of the loop: on a busy machine one turn may take longer than the moment should,
        and refusals that are about to be written would be lost.
        """
        quiet, before = 0, -1
        while quiet < REFUSING_SECONDS / PAUSE_SECONDS:
            if self._served.is_set() and self._wire.written >= self._requests.sent:
                return
            now = self._requests.sent + self._wire.written
            quiet, before = (quiet + 1, before) if now == before else (0, now)
            await anyio.sleep(PAUSE_SECONDS)
