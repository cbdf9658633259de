"""Sends again what is safe to send again, while the caller still waits. `docs/decisions/retry.md` says why tenacity."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import httpx
from tenacity import AsyncRetrying, RetryCallState, wait_random_exponential

from libraries_io_mcp.errors import CircuitOpenError, QuotaExceededError
from libraries_io_mcp.librariesio.faults import error_type_of, retry_after_of
from libraries_io_mcp.librariesio.question import Question, question_of
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.semconv import Attribute

MAX_ATTEMPTS: Final = 4
FIRST_WAIT_SECONDS: Final = 0.25
LONGEST_WAIT_SECONDS: Final = 5.0
RETRIED_STATUS: Final = frozenset({429, 502, 503, 504})
# A read timeout is no broken connection: the service works on the question and would get it twice.
NOT_RETRIED: Final = (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

logger = logging.getLogger("libraries_io_mcp.librariesio")


class RetryTransport(httpx.AsyncBaseTransport):
    """Repeats repeatable questions after 429, 502, 503, 504 and broken connections.

    Waits with jitter, at least the reply's `Retry-After`; after a 429 the quota below does the waiting. A wait that
    does not end before the question's deadline is not begun: the last reply or exception is the outcome. `now` is a
    clock that never jumps.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        instruments: Instruments,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._inner = inner
        self._instruments = instruments
        self._now = now
        self._sleep = sleep
        self._backoff = wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send until there is an outcome that a repeat would not change."""
        question = question_of(request)
        if not question.repeatable:
            return await self._inner.handle_async_request(request)

        def note_repeat(state: RetryCallState) -> None:
            question.resends += 1
            self._instruments.retry(question.endpoint, _failure_of(state))
            _tell(question, state)

        def enough(state: RetryCallState) -> bool:
            too_late = self._now() + state.upcoming_sleep >= question.deadline
            return too_late or state.attempt_number >= MAX_ATTEMPTS

        retrying = AsyncRetrying(
            sleep=self._sleep,
            retry=_worth_a_repeat,
            wait=self._wait,
            stop=enough,
            before_sleep=note_repeat,
            retry_error_callback=_last_outcome,
        )
        last: httpx.Response | httpx.TransportError | None = None

        async def attempt() -> httpx.Response:
            nonlocal last
            try:
                last = await self._inner.handle_async_request(request)
            except httpx.TransportError as error:
                last = error
                raise
            return last

        try:
            reply: httpx.Response = await retrying(attempt)
        except (CircuitOpenError, QuotaExceededError):
            # There is no leave for the repeat: the fault that made it needed says more.
            if isinstance(last, httpx.TransportError):
                raise last from None
            if last is None or last.status_code == 429:
                raise
            return last
        return reply

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()

    def _wait(self, state: RetryCallState) -> float:
        reply = _reply_of(state)
        if reply is None:
            return self._backoff(state)
        if reply.status_code == 429:
            return 0.0
        return max(self._backoff(state), retry_after_of(reply) or 0.0)


def _worth_a_repeat(state: RetryCallState) -> bool:
    reply = _reply_of(state)
    if reply is not None:
        # A key whose own limit is 0 never gets through.
        return reply.status_code in RETRIED_STATUS and reply.headers.get("x-ratelimit-limit") != "0"
    error = state.outcome.exception() if state.outcome else None
    return isinstance(error, httpx.TransportError) and not isinstance(error, NOT_RETRIED)


def _reply_of(state: RetryCallState) -> httpx.Response | None:
    if state.outcome is None or state.outcome.failed:
        return None
    reply: httpx.Response = state.outcome.result()
    return reply


def _failure_of(state: RetryCallState) -> str:
    reply = _reply_of(state)
    error = state.outcome.exception() if state.outcome else None
    return error_type_of(reply if reply is not None else error)


def _tell(question: Question, state: RetryCallState) -> None:
    """One log record as a repeat begins, so that the records of a trace show what it waits for."""
    error_type, reply = _failure_of(state), _reply_of(state)
    what, seconds = f"failed ({error_type})", state.upcoming_sleep
    if reply is not None:
        what = f"failed with status {reply.status_code} ({error_type})"
        if reply.status_code == 429:
            what, seconds = "was refused by the quota", retry_after_of(reply) or 0.0
    when = f"in {seconds:.1f} s" if seconds or reply is None or reply.status_code != 429 else "in the next window"
    extra: dict[str, object] = {
        Attribute.ENDPOINT: question.endpoint,
        Attribute.ERROR_TYPE: error_type,
        Attribute.HTTP_RESEND_COUNT: question.resends,
    }
    attempt = state.attempt_number + 1
    logger.warning(
        "%s %s %s, repeats %s as attempt %d of %d at most",
        question.method, question.endpoint, what, when, attempt, MAX_ATTEMPTS, extra=extra,
    )  # fmt: skip


def _last_outcome(state: RetryCallState) -> httpx.Response:
    if state.outcome is None:
        raise RuntimeError("tenacity ended without an outcome")
    reply: httpx.Response = state.outcome.result()
    return reply
