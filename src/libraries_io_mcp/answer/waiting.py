"""Tells the client while its question waits, for the quota or the service: as MCP progress, by seconds."""

import asyncio
from types import TracebackType
from typing import Self

from fastmcp import Context
from fastmcp.server.dependencies import get_context

from libraries_io_mcp.librariesio.question import wait_in_words


class Waiting:
    """`told` hears of a wait and reports it; leaving the block ends reports that are still on their way.

    Outside of a request nobody is told.
    """

    def __init__(self) -> None:
        self._context = _context()
        self._reports: set[asyncio.Task[None]] = set()
        self._total = 0.0
        self._waited = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for report in self._reports:
            report.cancel()
        await asyncio.gather(*self._reports, return_exceptions=True)

    def told(self, seconds_left: float, ahead: int | None) -> None:
        """A question waits: for so long still, behind so many others; `None`: for the service itself."""
        if self._context is None:
            return
        # Progress may only grow, and with it the total when a wait turns out longer or a second one follows.
        self._total = max(self._total, self._waited + seconds_left)
        self._waited = max(self._waited, self._total - seconds_left)
        message = wait_in_words(seconds_left, ahead)
        report = asyncio.ensure_future(self._context.report_progress(self._waited, self._total, message))
        self._reports.add(report)
        report.add_done_callback(self._reports.discard)


def _context() -> Context | None:
    try:
        return get_context()
    except RuntimeError:
        return None
