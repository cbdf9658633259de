"""Circuit breakers, one per endpoint group. `docs/decisions/breaker.md` says why they are our own."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from libraries_io_mcp.errors import CircuitOpenError
from libraries_io_mcp.librariesio.question import Question, question_of
from libraries_io_mcp.librariesio.vitals import BreakerFacts
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import Attribute, BreakerState

FAILURES: Final = 5
"""So many failed questions in a row open a breaker."""
REPEATED: Final = 2
"""When more have failed in a row, nothing is repeated any more: it would only spend quota on an outage."""
OPEN_SECONDS: Final = 30.0
PROBE_SECONDS: Final = 5.0
"""So long a probe is alone; then the next one may try."""
CLOCKS_DIFFER_SECONDS: Final = 0.05
"""The event loop that enforces a deadline may have another clock than ours."""

logger = logging.getLogger("libraries_io_mcp.librariesio")


@dataclass(slots=True)
class Breaker:
    """State of one group: failures in a row, when it may be probed next, and how many probes are under way.

    `advised`: another process opened it, and this one has seen no failure itself.
    """

    failures: int = 0
    probe_at: float = 0.0
    probes: int = 0
    advised: bool = False

    @property
    def state(self) -> BreakerState:
        """`open` also when the time for a probe has come and nobody has asked yet."""
        if self.failures < FAILURES:
            return "closed"
        return "half_open" if self.probes else "open"


class BreakerTransport(httpx.AsyncBaseTransport):
    """Refuses requests of a group whose last ones all failed; after a rest lets one through to see.

    A failure is a 5xx, a connection error or a deadline that passed; a question fails once, however often it is sent.
    Any other reply is a success.
    `now` is a clock that never jumps.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, *, instruments: Instruments, now: Callable[[], float]) -> None:
        self._inner = inner
        self._now = now
        self._breakers: dict[str, Breaker] = {}
        instruments.watch_breakers(lambda: {group: facts.state for group, facts in self.facts().items()})

    def facts(self) -> dict[str, BreakerFacts]:
        """Every group that was asked, and how its breaker stands."""
        # Read by the thread that exports, while requests add groups here: hence the copy.
        return {group: self._facts(breaker) for group, breaker in list(self._breakers.items())}

    def _facts(self, breaker: Breaker) -> BreakerFacts:
        left = max(breaker.probe_at - self._now(), 0.0) if breaker.state == "open" else 0.0
        return BreakerFacts(breaker.state, breaker.failures, round(left, 1))

    def opened(self) -> dict[str, float]:
        """The groups whose breaker opened by what was seen here, and the seconds until each may be probed."""
        own = {group: each for group, each in self._breakers.items() if each.state != "closed" and not each.advised}
        return {group: max(breaker.probe_at - self._now(), 0.0) for group, breaker in own.items()}

    def advise(self, opened: Mapping[str, float]) -> None:
        """The same by what other processes saw: such a group is left alone until then, or until they say so."""
        for group, seconds in opened.items():
            breaker = self._breakers.setdefault(group, Breaker())
            if breaker.state == "closed":
                breaker.failures, breaker.probe_at, breaker.advised = FAILURES, self._now() + seconds, True
                self._tell(group, breaker)
        for group, breaker in self._breakers.items():
            if breaker.advised and group not in opened and not breaker.probes:
                breaker.failures, breaker.advised = 0, False
                self._tell(group, breaker)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, if the group's breaker allows it.

        Raises:
            CircuitOpenError: it does not; `retry_after` says when it will.
        """
        question = question_of(request)
        breaker = self._breakers.setdefault(question.group, Breaker())
        probe = self._admit(question, breaker)
        failed: bool | None = None
        try:
            reply = await self._inner.handle_async_request(request)
            failed = reply.status_code >= 500
        except httpx.TransportError:
            failed = True
            raise
        except asyncio.CancelledError:
            # Cancelled by the deadline while the service had it. A caller who went away says nothing about the
            # service, nor does a question whose turn never came.
            late = self._now() >= question.deadline - CLOCKS_DIFFER_SECONDS
            failed = True if question.sent and late else None
            raise
        finally:
            self._note(question, breaker, failed=failed, probe=probe)
        return reply

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()

    def _admit(self, question: Question, breaker: Breaker) -> bool:
        """Whether the question is the probe."""
        if breaker.state == "closed":
            if question.failed and breaker.failures > REPEATED:
                raise CircuitOpenError("Libraries.io fails on other such questions too, so this one is not repeated.")
            return False
        left = breaker.probe_at - self._now()
        if left > 0:
            raise CircuitOpenError(
                f"Libraries.io failed {breaker.failures} times in a row on such questions, so it is left alone.",
                retry_after=round(max(left, 1.0), 1),
            )
        breaker.probes += 1
        # A probe that waits long, for the quota or for the service, does not keep the others out.
        breaker.probe_at = self._now() + PROBE_SECONDS
        self._tell(question.group, breaker)
        return True

    def _note(self, question: Question, breaker: Breaker, *, failed: bool | None, probe: bool) -> None:
        before = breaker.state
        if probe:
            breaker.probes -= 1
            # If it said nothing, the next one may try at once.
            breaker.probe_at = self._now()
        if failed is not None:
            breaker.advised = False
        if failed is False:
            breaker.failures = 0
        elif failed:
            breaker.failures += not question.failed
            question.failed = True
            breaker.probe_at = self._now() + OPEN_SECONDS
        if breaker.state != before:
            self._tell(question.group, breaker)

    def _tell(self, group: str, breaker: Breaker) -> None:
        extra: dict[str, str] = {Attribute.ENDPOINT: group, Attribute.BREAKER_STATE: breaker.state}
        logger.warning("circuit breaker of %s is %s", group, breaker.state, extra=extra)
