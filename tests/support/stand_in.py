"""The product's own sandbox on a loopback port, served by a thread of this process."""

import asyncio
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final

from tests.support.polling import HANG_SECONDS, poll_until

from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.connections import Connections
from libraries_io_mcp.sandbox.faults import Fault
from libraries_io_mcp.sandbox.keys import KNOWN_KEY
from libraries_io_mcp.sandbox.server import serving

PLENTY: Final = 100_000
CANARY: Final = "ca9a41b1d5e1f00d7c26b98e03f4a5d9"
"""A key the sandbox knows, made to be looked for: no part comes twice, as a store that compresses would hide it."""
REFUSED_CANARY: Final = "dead0b1dca9a412d86f35c70e9b2418f"
"""A key nobody knows, made to be looked for."""
FEW_KEY: Final = "00000000000000000000000000000001"
"""A key with a quota of one request a minute."""
KEYS: Final = {KNOWN_KEY: PLENTY, CANARY: PLENTY, FEW_KEY: 1}


def within_a_minute() -> None:
    """Return when a quota window, which is a minute of the clock, has begun and has 8 seconds left at least.

    A request at the edge of two windows waits for the second one to begin, which is not what most tests are about.
    """
    poll_until(lambda: 1 < time.time() % 60 < 52, "the edge of a quota window to pass")


@contextmanager
def sandbox(
    keys: Mapping[str, int] = KEYS, faults: Iterable[Fault] = (), window_seconds: float = 60.0
) -> Iterator[str]:
    """Serve while the block runs. Gives the address for `LIBRARIES_IO_BASE_URL`."""
    ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        app = create_app(keys=keys, anonymous_limit=PLENTY, faults=faults, window_seconds=window_seconds)
        async with serving(app, Connections()) as address:
            ready.set_result((address, asyncio.get_running_loop(), stop))
            await stop.wait()

    def work() -> None:
        try:
            asyncio.run(serve())
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=work, name="sandbox", daemon=True)
    thread.start()
    address, loop, stop = ready.result(HANG_SECONDS)
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(HANG_SECONDS)
