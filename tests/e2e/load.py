"""A steady load on the product over HTTP from a thread, counting every call that was answered."""

import asyncio
import threading
import time
from collections import Counter
from typing import Any, Final, Self

from fastmcp import Client
from tests.support.polling import HANG_SECONDS

PAUSE_SECONDS: Final = 0.25
NAMES: Final = ("express", "ms", "debug", "axios", "nobody-has-written-this")


class Load:
    """Calls one tool after the other until it is told to stop; the counts are the client's own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), daemon=True)
        self.calls: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.trouble: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join(HANG_SECONDS)

    @property
    def slowest(self) -> float:
        """Seconds that the slowest call took."""
        return max(self.seconds)

    async def _work(self) -> None:
        try:
            async with Client(self._url) as client:
                while not self._stop.is_set():
                    await self._call(client, NAMES[self.calls.total() % len(NAMES)])
                    await asyncio.sleep(PAUSE_SECONDS)
        except Exception as error:
            self.trouble.append(repr(error))
            raise

    async def _call(self, client: Client[Any], name: str) -> None:
        began = time.monotonic()
        await client.call_tool("get_package_info", {"platform": "npm", "name": name}, raise_on_error=False)
        self.seconds.append(time.monotonic() - began)
        self.calls[name] += 1
