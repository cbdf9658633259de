"""The sandbox as a child process, and a second program that shares the key and uses up the quota."""

import re
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import httpx
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream
from mcp.client.stdio import get_default_environment

from libraries_io_mcp.demo.failure import DemoError, tail

COMMAND: Final = (sys.executable, "-m", "libraries_io_mcp", "sandbox")
LIMIT: Final = 20
WINDOW_SECONDS: Final = 5
EARLY: Final = (4, 5)
"""Seconds left of a window, as its replies count them: what is asked now is asked in one window."""
MIDDLE: Final = (3, 4)
"""The same: the server can't take it for the last window any more, and its next request will still arrive in it."""
START_SECONDS: Final = 20.0
END_SECONDS: Final = 3.0
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:\d+/api")


@dataclass(frozen=True, slots=True)
class Budget:
    """What the headers of a reply say: requests left, and seconds until the window ends, rounded up."""

    remaining: int
    reset: int


class Sandbox:
    """A running sandbox."""

    def __init__(
        self,
        base_url: str,
        key: str,
        http: httpx.AsyncClient,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.base_url = base_url
        self.key = key
        self.spent = 0
        """Requests of the second program."""
        self._http = http
        self._sleep = sleep

    async def at(self, moments: tuple[int, ...]) -> Budget:
        """Wait until a reply says that this many seconds are left of the window."""
        while True:
            budget = await self._spend()
            if budget.reset in moments:
                return budget
            # The reply says how long this window lasts; in a fresh one a second passes first.
            await self._sleep(1 if budget.reset > max(moments) else budget.reset)

    async def use_up(self) -> Budget:
        """Spend what is left of a window, as another program with the same key would, with time left in it."""
        budget = await self.at(MIDDLE)
        while budget.remaining:
            budget = await self._spend()
        return budget if budget.reset in MIDDLE else await self.use_up()

    async def answered(self, status: int | None = None) -> int:
        """How many requests it has answered, in all or with one status, by its own count."""
        reply = await self._get(self.base_url.removesuffix("/api") + "/_sandbox/requests")
        rows = reply.json()["answers"]
        return sum(row["count"] for row in rows if status in (None, row["status"]))

    async def _spend(self) -> Budget:
        reply = await self._get(f"{self.base_url}/platforms?api_key={self.key}")
        self.spent += 1
        try:
            return Budget(*(int(reply.headers[f"x-ratelimit-{name}"]) for name in ("remaining", "reset")))
        except (KeyError, ValueError):
            raise DemoError(f"the sandbox answered {reply.status_code} without saying what is left") from None

    async def _get(self, url: str) -> httpx.Response:
        try:
            return await self._http.get(url)
        except httpx.HTTPError as error:
            raise DemoError(f"the sandbox does not answer: {type(error).__name__}") from None


@asynccontextmanager
async def running_sandbox(directory: Path, command: Sequence[str] = COMMAND) -> AsyncIterator[Sandbox]:
    """Run the sandbox on a free port, in `directory`, while the block runs.

    Raises:
        DemoError: it did not say its address.
    """
    key = uuid.uuid4().hex
    options = ["--port", "0", "--key", f"{key}:{LIMIT}", "--window-seconds", str(WINDOW_SECONDS)]
    log = directory / "sandbox.log"
    with log.open("wb") as stderr:
        process = await anyio.open_process(
            [*command, *options], stderr=stderr, cwd=directory, env=get_default_environment(), start_new_session=True
        )
    try:
        base_url = await _address(process, log)
        async with httpx.AsyncClient(trust_env=False, timeout=5.0) as http:
            yield Sandbox(base_url, key, http)
    finally:
        await _end(process)


async def _address(process: Process, log: Path) -> str:
    text = ""
    with anyio.move_on_after(START_SECONDS):
        if process.stdout is None:
            raise RuntimeError("the process was started without a pipe")
        async for part in TextReceiveStream(process.stdout):
            text += part
            if (found := _ADDRESS.search(text)) and "\n" in text:
                return found.group()
    raise DemoError(f"the sandbox did not start; it wrote:\n{text}{tail(log)}")


async def _end(process: Process) -> None:
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        with anyio.move_on_after(END_SECONDS):
            await process.wait()
        if process.returncode is None:
            process.kill()
        await process.aclose()
