"""What health wants to know of the client: when the service was last heard of, and the state of every part."""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from libraries_io_mcp.errors import (
    CallError,
    CircuitOpenError,
    ForbiddenError,
    InvalidReplyError,
    InvalidRequestError,
    KeyMissingError,
    NotFoundError,
    QuotaExceededError,
)
from libraries_io_mcp.librariesio.quota import QuotaStatus
from libraries_io_mcp.telemetry.semconv import BreakerState, CacheResult

REMEMBERED: Final = 20
"""Contacts with the service that are remembered."""
_ANSWERS: Final = (ForbiddenError, InvalidRequestError, NotFoundError, QuotaExceededError)
"""Replies that show a service at work, though the caller does not get what it wanted."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One time that the service was asked: when it ended (seconds on a clock that never jumps), and how."""

    at: float
    error_type: str | None
    """`None`: the service answered."""


class Contacts:
    """The last contacts, newest last. What never reached the service is none."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._newest: deque[Contact] = deque(maxlen=REMEMBERED)

    def note(self, error: CallError | None, *, sent: bool) -> None:
        """A question has ended with `error`; `sent` says whether the service still had it."""
        if isinstance(error, CircuitOpenError | KeyMissingError):
            return
        # Without a status it did not come from the service, unless it is the verdict on what came.
        own = error is not None and error.status_code is None and not isinstance(error, InvalidReplyError)
        if own and (isinstance(error, _ANSWERS) or not sent):
            return
        failed = error is not None and not isinstance(error, _ANSWERS)
        self._newest.append(Contact(self._monotonic(), error.error_type if error and failed else None))

    def since(self, seconds: float) -> tuple[Contact, ...]:
        """The contacts of the last `seconds`, oldest first; at most `REMEMBERED`."""
        earliest = self._monotonic() - seconds
        return tuple(each for each in self._newest if each.at >= earliest)

    def seconds(self) -> float:
        """What the clock says: seconds from some moment on."""
        return self._monotonic()

    @property
    def last_age(self) -> float | None:
        """Seconds since the last contact; `None` before the first."""
        return self._monotonic() - self._newest[-1].at if self._newest else None


@dataclass(frozen=True, slots=True)
class BreakerFacts:
    """One circuit breaker: its state, failures in a row, and the seconds until it may be probed (0: now)."""

    state: BreakerState
    failures: int
    retry_in_seconds: float


@dataclass(frozen=True, slots=True)
class CacheFacts:
    """The cache in memory. `lookups` counts since the start, by what came of them."""

    entries: int
    max_entries: int
    size_bytes: int
    max_bytes: int
    lookups: Mapping[CacheResult, int]


@dataclass(frozen=True, slots=True)
class Vitals:
    """Asks every part, and costs no request; but `probe`.

    Attributes:
        store_kind: where answers and quota are shared: `memory` (nowhere) or `redis` (Redis or Valkey).
        try_store: writes a value to the store and reads it back; `None`, or what went wrong.
        probe: asks the service one question past the cache, once, and waits 10 seconds at most. Costs one request
            of the quota unless the quota or the breaker refuses. Raises `CallError`.
        deviations: how many values of replies could not be read since the start, by endpoint and field.
        replicas: how many processes were last seen to share the store, this one among them.
    """

    contacts: Contacts
    quota: Callable[[], QuotaStatus]
    breakers: Callable[[], Mapping[str, BreakerFacts]]
    cache: Callable[[], CacheFacts]
    store_kind: Literal["memory", "redis"]
    try_store: Callable[[], Awaitable[str | None]]
    probe: Callable[[], Awaitable[None]]
    deviations: Callable[[], Mapping[str, int]] = dict
    replicas: Callable[[], int] = lambda: 1
