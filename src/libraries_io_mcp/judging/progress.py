"""Tells a client how far a long lookup is: in packages, growing with every message, waits included."""

import asyncio
from typing import Final, Self

from fastmcp import Context

from libraries_io_mcp.librariesio.question import wait_in_words

CREEP: Final = 0.05
"""Part of what is left by which a message about a wait grows: MCP wants progress to grow, and nothing was done yet."""

LAST_REPORT_SECONDS: Final = 1.0
"""How long the answer waits for a report that is still on its way; a client that has gone never takes it."""


class Progress:
    """`begin`, `done` and `waiting` report in the background; leaving the block ends what is still on its way."""

    def __init__(self, context: Context | None) -> None:
        self._context = context
        self._total = 0.0
        self._done = 0
        self._shown = 0.0
        self._reports: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        if self._reports:
            _, late = await asyncio.wait(self._reports, timeout=LAST_REPORT_SECONDS)
            for report in late:
                report.cancel()

    def begin(self, packages: int) -> None:
        """So many are to be looked up."""
        self._total = float(packages)

    def done(self, packages: int) -> None:
        """So many more are done."""
        self._done += packages
        grown = max(float(self._done), self._shown + CREEP * (self._total - self._shown))
        self._tell(grown, f"{self._done} of {self._total:.0f} packages looked up.")

    def waiting(self, seconds_left: float, ahead: int | None) -> None:
        """A request waits, for the quota or for the service."""
        grown = self._shown + CREEP * (self._total - self._shown)
        self._tell(grown, wait_in_words(seconds_left, ahead))

    def _tell(self, shown: float, message: str) -> None:
        if self._context is None or shown <= self._shown:
            return
        self._shown = shown
        report = asyncio.ensure_future(self._context.report_progress(shown, self._total, message))
        self._reports.add(report)
        report.add_done_callback(self._reports.discard)
