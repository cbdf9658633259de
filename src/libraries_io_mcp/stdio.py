"""MCP on stdin and stdout: a filter for lines around the SDK's own stdio server.

The SDK reads `sys.stdin.buffer` and writes `sys.stdout.buffer`, each in a thread. Here these are `Input` and `Output`,
which know the requests that are not answered yet. So the end of the input, a signal or the end of the parent process
reaches the SDK, which then refuses what is in flight, only when the answers that are due are out, or their time is.
"""

import io
import json
import logging
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

import anyio
from anyio import from_thread
from fastmcp import FastMCP
from mcp_types import INVALID_REQUEST, PARSE_ERROR, JSONRPCNotification, JSONRPCRequest, jsonrpc_message_adapter
from pydantic import ValidationError

from libraries_io_mcp.ending import DRAIN_SECONDS, Ending

READ_BYTES: Final = 65_536
PARENT_SECONDS: Final = 2.0
"""How often the parent process is looked for while nothing comes in."""
UNREAD_SECONDS: Final = 0.2
"""At the end a client that has taken nothing for so long gets no more."""
REOPEN_SECONDS: Final = 2.0
"""How long `initialize` waits for the answers to what was asked before it."""
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

logger: Final = logging.getLogger(__name__)


class OpenRequests:
    """The ids of the requests that came in and are not answered yet. The SDK's two threads share them."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._none_left = threading.Condition()

    def add(self, number: object) -> bool:
        """Whether the id was free."""
        with self._none_left:
            before = len(self._ids)
            self._ids.add(str(number))
            return len(self._ids) > before

    def remove(self, number: object) -> bool:
        """Whether the request was open: a cancelled one is not answered."""
        with self._none_left:
            was_open = str(number) in self._ids
            self._ids.discard(str(number))
            self._none_left.notify_all()
        return was_open

    def wait(self, seconds: float) -> int:
        """Return when every request is answered, or the time is over; how many are not."""
        with self._none_left:
            self._none_left.wait_for(lambda: not self._ids, seconds)
            return len(self._ids)


class Output(io.RawIOBase):
    """The wire to the client. The SDK writes whole lines, one at a time."""

    def __init__(self, descriptor: int) -> None:
        self.requests = OpenRequests()
        self.ending = False
        """Whether a client that reads nothing is waited for no more."""
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._room = select.poll()
        self._room.register(descriptor, select.POLLOUT)

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Write one message of the server, unless it answers what the client has cancelled."""
        line = bytes(data)
        message = json.loads(line)
        # Closed before it is written: the client may use the id again as soon as it has the answer.
        if "method" in message or self.requests.remove(message.get("id")):
            self._write(line)
        return len(line)

    def refuse(self, number: int | str | None, code: int, why: str) -> None:
        """Answer what the SDK is not shown."""
        error = {"code": code, "message": why}
        self._write(json.dumps({"jsonrpc": "2.0", "id": number, "error": error}).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        """Raises `BrokenPipeError` when the client is gone, or does not read although the server ends."""
        left = memoryview(line)
        with self._lock:
            while left:
                while not self._room.poll(UNREAD_SECONDS * 1000):
                    if self.ending:
                        raise BrokenPipeError
                # No more than surely fits, so that this never blocks where the end could not be seen.
                left = left[os.write(self._descriptor, left[: select.PIPE_BUF]) :]


class Input(io.RawIOBase):
    """The client's lines, but for those that are no message. To the SDK they end when `OpenRequests` may."""

    def __init__(self, descriptor: int, output: Output, *, parent: int, drain: Callable[[], None]) -> None:
        """`drain` is called at the end. A `parent` of 0 or 1 can't be watched."""
        self.reopens = False
        """Whether the SDK's connection ends only for another one to begin."""
        self._descriptor = descriptor
        self._requests = output.requests
        self._output = output
        self._parent = parent
        self._drain = drain
        self._wake, self._woken = os.pipe(), select.poll()
        for readable in (descriptor, self._wake[0]):
            self._woken.register(readable, select.POLLIN)
        self._lines: deque[bytes] = deque()
        self._begun: list[bytes] = []
        self._left = memoryview(b"")
        self._ended = False
        self._opened_by: str | None = None

    def readable(self) -> bool:
        """Yes."""
        return True

    def end(self) -> None:
        """Behave as if the input had ended. Safe from any thread."""
        os.write(self._wake[1], b".")

    def readinto(self, buffer: Any) -> int:
        """Give what there is of lines; nothing at the end."""
        while not self._left:
            if self._lines:
                if not self._pass_on(self._lines.popleft()):
                    return 0
            elif self._ended:
                self._drain()
                return 0
            else:
                self._read()
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size

    def _read(self) -> None:
        """Wait for lines, or for a reason to end."""
        ready = dict(self._woken.poll(PARENT_SECONDS * 1000))
        if not ready and self._parent > 1 and os.getppid() != self._parent:
            logger.info("ending: the parent process has ended")
            self.end()
        elif self._wake[0] in ready:
            self._ended = True
        elif ready:
            data = os.read(self._descriptor, READ_BYTES)
            # At the end, what stands behind the last line's end is a line, too.
            first, *more = data.split(b"\n") if data else (b"", b"")
            self._begun.append(first)
            for line in more:
                self._lines.append(b"".join(self._begun))
                self._begun = [line]
            self._ended = not data

    def _pass_on(self, line: bytes) -> bool:
        """Take a line, or answer it; whether the SDK's connection goes on."""
        line = line.removeprefix(BYTE_ORDER_MARK).strip()
        if not line:
            return True
        try:
            message = jsonrpc_message_adapter.validate_json(line.decode(errors="replace"), by_name=False)
        except ValidationError as error:
            self._output.refuse(*_not_readable(line, error))
            return True
        if isinstance(message, JSONRPCRequest):
            # What comes first decides the SDK's semantics for good. To a client that only asked `server/discover`
            # before, `initialize` opens a connection anew.
            if message.method == "initialize" and self._opened_by not in {None, "initialize"}:
                self._lines.appendleft(line)
                self._opened_by, self.reopens = None, True
                self._requests.wait(REOPEN_SECONDS)
                return False
            self._opened_by = self._opened_by or message.method
            if not self._requests.add(message.id):
                self._output.refuse(message.id, INVALID_REQUEST, "a request with this id is not answered yet")
                return True
        elif isinstance(message, JSONRPCNotification):
            if "id" in json.loads(line):
                self._output.refuse(None, INVALID_REQUEST, "an id is a string or an integer")
                return True
            if message.method == "notifications/cancelled":
                self._requests.remove((message.params or {}).get("requestId"))
        self._left = memoryview(line + b"\n")
        return True


def _not_readable(line: bytes, error: ValidationError) -> tuple[int | str | None, int, str]:
    """The answer to a line that is no message, with its id if there is one to be seen in it."""
    code = PARSE_ERROR if error.errors(include_url=False)[0]["type"] == "json_invalid" else INVALID_REQUEST
    number = None
    # Python reads a little more than the SDK does: half a surrogate pair, for one.
    with suppress(ValueError, RecursionError, AttributeError):
        number = json.loads(line).get("id")
    is_id = isinstance(number, int | str) and not isinstance(number, bool)
    return number if is_id else None, code, "not a JSON-RPC message"


class Prints(io.TextIOBase):
    """stdout as the rest of the process sees it: what is printed goes to stderr. The SDK takes `buffer`."""

    def __init__(self, wire: Output) -> None:
        self.buffer = wire

    def write(self, text: str) -> int:
        """Write to stderr."""
        return sys.stderr.write(text)


class StdioServer:
    """Serves until stdin or the parent process ends, or `end` is called."""

    def __init__(self, server: FastMCP, ending: Ending, *, parent: int) -> None:
        self.settled = anyio.Event()
        """No more answers are waited for."""
        self._server = server
        self._ending = ending
        self._output = Output(_take(1, 2))
        with Path(os.devnull).open("rb") as nothing:
            taken = _take(0, nothing.fileno())
        self._input = Input(taken, self._output, parent=parent, drain=self._drain)
        self.end = self._input.end

    async def serve(self) -> None:
        """Serve."""
        sys.stdin = io.TextIOWrapper(io.BufferedReader(self._input))
        sys.stdout = cast("Any", Prints(self._output))
        self._input.reopens = True
        while self._input.reopens:
            self._input.reopens = False
            await self._server.run_stdio_async(show_banner=False)

    def _drain(self) -> None:
        """Runs in the thread that reads."""
        if self.settled.is_set():
            return
        self._output.ending = True
        with self._ending.draining():
            left = self._output.requests.wait(DRAIN_SECONDS)
        if left:
            logger.warning("%d requests are refused: the server ends", left)
        from_thread.run_sync(self.settled.set)


def _take(standard: int, instead: int) -> int:
    """A descriptor of what a standard stream was until now; everybody else, children included, gets another."""
    taken = os.dup(standard)
    os.dup2(instead, standard)
    return taken
