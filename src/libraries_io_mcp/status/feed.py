"""What all open pages are told: one computation for all of them, changes only, and nothing while nobody looks.

A viewer gets everything once and then what has changed. Its few unread messages are bounded: who does not read is sent
away, not waited for, and comes back by itself for everything anew.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from libraries_io_mcp.status.sources import Part, Sources, encoded

TICK_SECONDS: Final = 2.0
MAX_VIEWERS: Final = 20
UNREAD: Final = 3
"""Messages that a viewer may leave unread before it is sent away: six seconds' worth."""
FIRST_TRACES: Final = 150
TICK_TRACES: Final = 40
FIRST_LOGS: Final = 300
TICK_LOGS: Final = 60

logger: Final = logging.getLogger(__name__)


class Viewer:
    """One open page: its unread messages, and whether it has been sent away."""

    def __init__(self, first: str) -> None:
        self._unread: asyncio.Queue[str] = asyncio.Queue(UNREAD)
        self._unread.put_nowait(first)
        self.dropped: Final = asyncio.Event()

    def tell(self, message: str) -> None:
        """Give it a message; one that has too many unread is sent away."""
        try:
            self._unread.put_nowait(message)
        except asyncio.QueueFull:
            self.dropped.set()

    async def next(self) -> str:
        """Its next message; waits for one."""
        return await self._unread.get()


@dataclass(frozen=True, slots=True)
class _Seen:
    """The numbers of the newest slice, trace and log record that were told."""

    slice: int
    trace: int
    log: int


_NOTHING: Final = _Seen(-1, 0, 0)


class Changes:
    """What is new since the last look. Its memory is the last look: a few dozen texts and numbers."""

    def __init__(self, sources: Sources, *, now: Callable[[], float]) -> None:
        self._sources = sources
        self._now = now
        self._parts: dict[str, str] = {}
        self._texts: dict[str, tuple[Any, str]] = {}
        self._seen = _NOTHING

    def first(self, *, begin: bool) -> str:
        """Everything, as a message. `begin`: the next look is for what is new since this one."""
        parts = self._look()
        fresh, seen = self._fresh(_NOTHING, FIRST_TRACES, FIRST_LOGS)
        if begin:
            self._parts, self._seen = parts, seen
        return self._message("snapshot", parts, fresh)

    def next(self) -> str:
        """What has changed since the last look, as a message."""
        parts = self._look()
        changed = {name: text for name, text in parts.items() if self._parts.get(name) != text}
        fresh, self._seen = self._fresh(self._seen, TICK_TRACES, TICK_LOGS)
        self._parts = parts
        return self._message("tick", changed, fresh)

    def _look(self) -> dict[str, str]:
        return {name: self._text(name, part) for name, part in self._sources.parts.items()}

    def _text(self, name: str, part: Part) -> str:
        known = self._texts.get(name)
        try:
            facts = part()
            if known is None or known[0] is not facts:
                known = self._texts[name] = facts, encoded(facts)
        except Exception as error:  # whatever one part raises, the others are still to be seen
            logger.debug("the status page's part %s failed", name, exc_info=True)
            return encoded({"unavailable": type(error).__name__})
        return known[1]

    def _fresh(self, seen: _Seen, most_traces: int, most_logs: int) -> tuple[dict[str, Any], _Seen]:
        sources = self._sources
        slices, slice_number = sources.slices.since(seen.slice) if sources.slices else ([], seen.slice)
        traces, trace_number = sources.traces.since(seen.trace, most_traces) if sources.traces else ([], 0)
        logs, log_number, left_out = sources.logs.since(seen.log, most_logs) if sources.logs else ([], 0, 0)
        fresh = {"slices": slices, "traces": traces, "logs": logs, "logs_left_out": left_out}
        return fresh, _Seen(slice_number, trace_number, log_number)

    def _message(self, event: str, parts: dict[str, str], fresh: dict[str, Any]) -> str:
        # The parts are JSON already.
        body = ",".join(f'"{name}":{text}' for name, text in parts.items())
        return f'event: {event}\ndata: {{"parts":{{{body}}},{encoded({"at": self._now(), **fresh})[1:]}\n\n'


class Feed:
    """The viewers and the one loop that tells them. The loop runs while there is a viewer."""

    def __init__(
        self,
        sources: Sources,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        in_thread: Callable[[Callable[[], str]], Awaitable[str]] = asyncio.to_thread,
        max_viewers: int = MAX_VIEWERS,
    ) -> None:
        self._changes = Changes(sources, now=now)
        self._sleep = sleep
        self._in_thread = in_thread
        self._max_viewers = max_viewers
        self._viewers: set[Viewer] = set()
        self._open = 0
        self._looking = asyncio.Lock()
        self._telling: asyncio.Task[None] | None = None

    @property
    def viewers(self) -> int:
        """How many pages are open."""
        return self._open

    @property
    def full(self) -> bool:
        """Whether another viewer would be one too many."""
        return self._open >= self._max_viewers

    @asynccontextmanager
    async def viewing(self) -> AsyncIterator[Viewer]:
        """A viewer who is told everything, then what changes, for as long as the block runs."""
        self._open += 1
        viewer: Viewer | None = None
        try:
            async with self._looking:
                # A newcomer does not move what others have been told. What it is told twice, the page knows by number.
                begin = not self._viewers
                viewer = Viewer(await self._in_thread(partial(self._changes.first, begin=begin)))
                self._viewers.add(viewer)
            if self._telling is None:
                self._telling = asyncio.create_task(self._tell(), name="status-feed")
            yield viewer
        finally:
            self._open -= 1
            self._leave(viewer)

    def _leave(self, viewer: Viewer | None) -> None:
        if viewer is not None:
            self._viewers.discard(viewer)
        if not self._viewers and self._telling is not None:
            self._telling.cancel()
            self._telling = None

    async def _tell(self) -> None:
        while True:
            await self._sleep(TICK_SECONDS)
            async with self._looking:
                try:
                    message = await self._in_thread(self._changes.next)
                except Exception:  # the pages that are open see the next look
                    logger.warning("the status page could not be told what is new", exc_info=True)
                    continue
                for viewer in self._viewers:
                    viewer.tell(message)
