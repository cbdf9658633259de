"""Circuit breakers, one per endpoint group. `docs/decisions/breaker.md` says why they are our own."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx

from libraries_io_mcp.errors import CircuitOpenError
from libraries_io_mcp.librariesio.question import question_of
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import Attribute, BreakerState

FAILURES: Final = 5
"""So many failed questions in a row open a breaker."""
OPEN_SECONDS: Final = 30.0
CLOCKS_DIFFER_SECONDS: Final = 0.05
"""The event loop that enforces a deadline has another clock than ours."""

logger = logging.getLogger("libraries_io_mcp.librariesio")


@dataclass(slots=True)
class Breaker:
    """State of one group: failures in a row, when it may be probed (epoch seconds), whether a probe is under way."""

    failures: int = 0
    opens_again_at: float = 0.0
    probing: bool = False

    @property
    def state(self) -> BreakerState:
        """`open` also when the time for a probe has come and nobody has asked yet."""
        if self.probing:
            return "half_open"
        return "open" if self.failures >= FAILURES else "closed"


class BreakerTransport(httpx.AsyncBaseTransport):
    """Refuses questions of a group whose last ones all failed; after a rest lets one through to see.

    A failure is a 5xx, a connection error or a deadline that passed, after all repeats. Any other reply is a success.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, *, instruments: Instruments, now: Callable[[], float]) -> None:
        self._inner = inner
        self._now = now
        self._breakers: dict[str, Breaker] = {}
        # Read by the thread that exports, while requests add groups here: hence the copy.
        instruments.watch_breakers(lambda: {group: breaker.state for group, breaker in list(self._breakers.items())})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, if the group's breaker allows it.

        Raises:
            CircuitOpenError: it does not; `retry_after` says when it will.
        """
        question = question_of(request)
        breaker = self._breakers.setdefault(question.group, Breaker())
        probe = self._admit(question.group, breaker)
        failed: bool | None = None
        try:
            reply = await self._inner.handle_async_request(request)
            failed = reply.status_code >= 500
        except httpx.TransportError:
            failed = True
            raise
        except asyncio.CancelledError:
            # Cancelled by the deadline, or by a caller who went away, which says nothing about the service.
            failed = True if self._now() >= question.deadline - CLOCKS_DIFFER_SECONDS else None
            raise
        finally:
            self._note(question.group, breaker, failed=failed, probe=probe)
        return reply

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()

    def _admit(self, group: str, breaker: Breaker) -> bool:
        """Whether the question is the probe."""
        if breaker.state == "closed":
            return False
        left = breaker.opens_again_at - self._now()
        if breaker.probing or left > 0:
            raise CircuitOpenError(
                f"Libraries.io failed {breaker.failures} times in a row on such questions, so it is left alone.",
                retry_after=round(max(left, 1.0), 1),
            )
        breaker.probing = True
        self._tell(group, breaker)
        return True

    def _note(self, group: str, breaker: Breaker, *, failed: bool | None, probe: bool) -> None:
        before = breaker.state
        if probe:
            breaker.probing = False
        if failed is False:
            breaker.failures = 0
        elif failed:
            breaker.failures += 1
            breaker.opens_again_at = self._now() + OPEN_SECONDS
        if breaker.state != before:
            self._tell(group, breaker)

    def _tell(self, group: str, breaker: Breaker) -> None:
        extra: dict[str, str] = {Attribute.ENDPOINT: group, Attribute.BREAKER_STATE: breaker.state}
        logger.warning("circuit breaker of %s is %s", group, breaker.state, extra=extra)
