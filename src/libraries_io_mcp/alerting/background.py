"""Runs alerting beside the server: in a thread and an event loop of its own, begun a moment after the server serves.

A call is never held up by it, nor the start: everything else of alerting is imported in that thread.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

from libraries_io_mcp.alerting.alert import SEVERITIES

QUIET_SECONDS: Final = 2.0
"""The start of a session is busy enough; a question about alerts ends the wait."""
READY_SECONDS: Final = 20.0
"""Longest wait of a question for the first evaluation."""
RESOLVE_SECONDS: Final = 10.0

logger: Final = logging.getLogger(__name__)


class Service(Protocol):
    """What is run."""

    async def run(self, ready: Callable[[], None]) -> None:
        """Work until cancelled; call `ready` once there is something to show. State is saved at the end."""

    def facts(self) -> dict[str, Any]:
        """The alerts. Safe from any thread."""

    def history_facts(self) -> dict[str, Any]:
        """Their history. Safe from any thread."""

    def health_facts(self) -> dict[str, Any]:
        """How alerting itself does. Safe from any thread."""

    async def resolve(self, fingerprint: str) -> bool:
        """A person says that an alert is over; false when there is no such alert."""


class Background:
    """The thread. `build` makes the service in it. Everything here may be called from any thread."""

    def __init__(self, build: Callable[[], Service], *, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._build = build
        self._quiet_seconds = quiet_seconds
        self._wanted = threading.Event()
        self._ready = threading.Event()
        self._service: Service | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending = False
        self._problem = "alerting has not started yet"
        self._thread = threading.Thread(target=self._run, name="alerting", daemon=True)

    def start(self) -> None:
        """Begin, once."""
        if self._thread.ident is None:
            self._thread.start()

    def end(self) -> None:
        """Save the state and end. Blocks until that is done."""
        self._ending = True
        self._wanted.set()
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(task.cancel)
        if self._thread.ident is not None:
            self._thread.join()

    def facts(self) -> dict[str, Any]:
        """The alerts; waits for the first evaluation, `READY_SECONDS` at most."""
        service = self._running()
        return service.facts() if service is not None else off_facts(self._problem)

    def history_facts(self) -> dict[str, Any]:
        """Their history; waits likewise."""
        service = self._running()
        return service.history_facts() if service is not None else off_history_facts()

    def health_facts(self) -> dict[str, Any] | None:
        """How alerting itself does; `None` as long as it has not started. Never waits."""
        return self._service.health_facts() if self._service is not None and self._ready.is_set() else None

    def resolve(self, fingerprint: str) -> bool:
        """A person says that an alert is over; false when there is no such alert.

        Raises:
            TimeoutError: alerting is stuck.
        """
        service, loop = self._running(), self._loop
        if service is None or loop is None:
            return False
        return asyncio.run_coroutine_threadsafe(service.resolve(fingerprint), loop).result(RESOLVE_SECONDS)

    def _running(self) -> Service | None:
        self._wanted.set()
        self._ready.wait(READY_SECONDS if self._thread.ident is not None else 0.0)
        return self._service

    def _run(self) -> None:
        self._wanted.wait(self._quiet_seconds)
        if self._ending:
            return
        try:
            asyncio.run(self._main())
        except Exception as error:
            # The server goes on without alerts: that is said here, on /alerts and by health.
            self._service = None
            self._problem = f"alerting ended: {type(error).__name__}"
            logger.exception("alerting ended; no alert is raised from now on")
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._service = self._build()
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._service.run(self._ready.set))
        if self._ending:
            self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


def off_facts(problem: str | None = None) -> dict[str, Any]:
    """What there is to say about alerts where nobody evaluates."""
    return {
        "evaluated_by": "off",
        "since": None,
        "summary": dict.fromkeys(SEVERITIES, 0),
        "active": [],
        "problems": [problem] if problem else [],
    }


def off_history_facts() -> dict[str, Any]:
    """The same for the history."""
    return {"events": [], "kept": 0, "dropped": 0}
