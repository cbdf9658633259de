"""Runs alerting beside the server: in a thread and an event loop of its own, begun a moment after the server serves.

A call is never held up by it, nor the start: everything else of alerting is imported in that thread.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

from libraries_io_mcp.supervisor import Supervisor

QUIET_SECONDS: Final = 2.0
"""The start of a session is busy enough; a question about alerts ends the wait."""
READY_SECONDS: Final = 20.0
"""Longest wait of a question for the first evaluation."""
RESOLVE_SECONDS: Final = 10.0
PART: Final = "alerting"
LEAVE_SECONDS: Final = 1.0
"""How long a thread that has been asked to end may take before there can be another one."""


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


class Reports(Protocol):
    """What can be said of alerts where nobody evaluates."""

    def facts(self) -> dict[str, Any]:
        """In place of the alerts."""

    def history_facts(self) -> dict[str, Any]:
        """In place of their history."""


class AlertingThread:
    """The thread. Everything here may be called from any thread. Whatever ends it, it is started again.

    Args:
        build: makes the service; called in the thread.
        without: what to say while there is no service, given the reason in words.
        supervisor: is told of what ended it.
        quiet_seconds: how long to wait before anything is done.
    """

    def __init__(
        self,
        build: Callable[[], Service],
        without: Callable[[str], Reports],
        *,
        supervisor: Supervisor,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._build = build
        self._supervisor = supervisor
        self._without = without
        self._quiet_seconds = quiet_seconds
        self._wanted = threading.Event()
        self._ready = threading.Event()
        self._saved = threading.Event()
        self._service: Service | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending = False
        self._stopped = threading.Event()
        self._problem = "alerting has not started yet"
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; nothing happens if it has begun."""
        if self._thread is not None and self._ending:
            self._thread.join(LEAVE_SECONDS)
        if self._thread is None or not self._thread.is_alive():
            self._ending = False
            self._service = self._loop = self._task = None
            self._wanted.clear()
            self._stopped.clear()
            self._ready.clear()
            self._saved.clear()
            self._thread = threading.Thread(target=self._run, name="alerting", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ask it to save its state and end. Does not wait."""
        self._ending = True
        self._stopped.set()
        self._wanted.set()
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(task.cancel)

    def end(self) -> None:
        """The same, and wait until the state is saved, if there is any."""
        self.stop()
        if self._task is not None:
            self._saved.wait()

    def latest_facts(self) -> dict[str, Any]:
        """The alerts as far as they are known. Never waits."""
        return self._known().facts()

    def latest_history_facts(self) -> dict[str, Any]:
        """Their history as far as it is known. Never waits."""
        return self._known().history_facts()

    def facts(self) -> dict[str, Any]:
        """The alerts; waits for the first evaluation, `READY_SECONDS` at most."""
        self._wait()
        return self._known().facts()

    def history_facts(self) -> dict[str, Any]:
        """Their history; waits likewise."""
        self._wait()
        return self._known().history_facts()

    def health_facts(self) -> dict[str, Any]:
        """How alerting itself does: what the service says of it, or that nothing was evaluated yet. Never waits."""
        service = self._service
        if service is not None and self._ready.is_set():
            return service.health_facts()
        return {"evaluated_by": "in_process", "failed_parts": self._supervisor.problems}

    def resolve(self, fingerprint: str) -> bool:
        """A person says that an alert is over; false when there is no such alert.

        Raises:
            TimeoutError: alerting is stuck.
        """
        self._wait()
        service, loop = self._service, self._loop
        if service is None or loop is None:
            return False
        return asyncio.run_coroutine_threadsafe(service.resolve(fingerprint), loop).result(RESOLVE_SECONDS)

    def _known(self) -> Reports:
        service = self._service
        return service if service is not None and self._ready.is_set() else self._without(self._problem)

    def _wait(self) -> None:
        self._wanted.set()
        if self._thread is not None:
            self._ready.wait(READY_SECONDS)

    def _run(self) -> None:
        self._wanted.wait(self._quiet_seconds)
        while not self._ending:
            try:
                asyncio.run(self._main())
            # A panic of a foreign library too, which is no Exception: the server goes on, and so must its alerts.
            except BaseException as error:
                self._service = self._task = None
                self._problem = f"alerting failed: {type(error).__name__}"
                self._supervisor.failed(PART, error)
                self._ready.set()
                self._stopped.wait(self._supervisor.pause(PART))
            else:
                break
        self._ready.set()

    async def _main(self) -> None:
        self._service = self._build()
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._service.run(self._ready.set))
        self._saved.clear()
        if self._ending:
            self._task.cancel()
        try:
            with suppress(asyncio.CancelledError):
                await self._task
        finally:
            # What is left, such as a mail that is just being sent in a thread, is not worth waiting for.
            self._saved.set()
