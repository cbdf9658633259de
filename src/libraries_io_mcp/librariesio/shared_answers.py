"""Answers that several processes share: an optional second layer below the memory, in Redis or Valkey.

What is stored is the reply's own bytes with what is needed to decode them again; never the key, nor a name in a key.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from libraries_io_mcp.redis_gateway import RedisGateway

PREFIX: Final = "libraries_io_mcp:answer:1:"
LARGEST: Final = 2 * 1024 * 1024
"""Larger replies stay in memory: moving them takes Redis longer than they are worth."""

TURN_PREFIX: Final = "libraries_io_mcp:asking:1:"
TURN_SECONDS: Final = 3.0
"""Who asks says so again three times in this time; after it, the others no longer wait for one that was killed."""
FIRST_LOOK_SECONDS: Final = 0.02
LONGEST_LOOK_SECONDS: Final = 0.2
"""Those who wait for another process's answer look for it after these pauses, which grow."""


NOTHING: Final[tuple[Any, Any]] = (None, None)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A reply as it came: its body, when (epoch seconds), the path that answered in the end, and `Total`."""

    content: bytes
    fetched_at: float
    path: str
    total: int | None = None


class SharedAnswers(Protocol):
    """Where answers are shared. Never raises: when the store fails, it holds nothing."""

    async def get(self, question: Any) -> RawAnswer | None:
        """The answer to a question, as long as it is fresh."""

    async def put(self, question: Any, answer: RawAnswer, keep_seconds: float) -> None:
        """Keep an answer."""

    def turn(
        self,
        question: Any,
        usable: Callable[[RawAnswer], bool],
        patience_seconds: float,
        waiting: AbstractContextManager[object],
    ) -> AbstractAsyncContextManager[RawAnswer | None]:
        """The answer that is there, or that another process gets within `patience_seconds`; that wait is `waiting`.

        `None`: ask the service and `put` the answer, while the others wait for the end of the block.
        """

    async def round_trip(self) -> str | None:
        """Whether the store takes a value and gives it back: `None`, or what went wrong."""

    async def aclose(self) -> None:
        """Close the connections."""


class NoSharedAnswers:
    """Nothing is shared."""

    async def get(self, question: Any) -> RawAnswer | None:  # noqa: ARG002 - the protocol's signature
        """Nothing."""
        return None

    async def put(self, question: Any, answer: RawAnswer, keep_seconds: float) -> None:
        """Nothing."""

    @asynccontextmanager
    async def turn(
        self,
        question: Any,  # noqa: ARG002 - the protocol's signature
        usable: Callable[[RawAnswer], bool],  # noqa: ARG002
        patience_seconds: float,  # noqa: ARG002
        waiting: AbstractContextManager[object],  # noqa: ARG002
    ) -> AsyncIterator[RawAnswer | None]:
        """Nothing is there, and nobody else asks."""
        yield None

    async def round_trip(self) -> str | None:
        """Nothing can go wrong."""
        return None

    async def aclose(self) -> None:
        """Nothing."""


class RedisAnswers:
    """Answers in Redis. `monotonic` is a clock that never jumps."""

    def __init__(
        self,
        gateway: RedisGateway,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gateway = gateway
        self._sleep = sleep
        self._monotonic = monotonic

    async def get(self, question: Any) -> RawAnswer | None:
        """The answer to a question, as long as it is fresh."""
        stored = await self._gateway.call(lambda client: client.get(_key(question)), otherwise=None)
        return _unpack(stored)

    async def put(self, question: Any, answer: RawAnswer, keep_seconds: float) -> None:
        """Keep an answer, unless it is very large."""
        if len(answer.content) <= LARGEST and keep_seconds >= 1:
            packed = _pack(answer)
            await self._gateway.call(
                lambda client: client.set(_key(question), packed, ex=int(keep_seconds)), otherwise=None
            )

    @asynccontextmanager
    async def turn(
        self,
        question: Any,
        usable: Callable[[RawAnswer], bool],
        patience_seconds: float,
        waiting: AbstractContextManager[object],
    ) -> AsyncIterator[RawAnswer | None]:
        """The answer that is there or that another process gets, or `None`: then the others wait for this one."""
        answer = await self.get(question)
        if answer is not None and usable(answer):
            yield answer
            return
        name = f"{TURN_PREFIX}{_digest(question)}"
        lock = self._gateway.lock(name, TURN_SECONDS)
        if not await self._gateway.acquire(lock):
            # Either another one asks, or the store does not work: then this finds nothing and ends at once.
            with waiting:
                answer = await self._of_another(question, name, usable, self._monotonic() + patience_seconds)
            yield answer
            return
        renewing = asyncio.ensure_future(self._renew(lock))
        try:
            yield None
        finally:
            renewing.cancel()
            await self._gateway.release(lock)

    async def _of_another(
        self, question: Any, lock_name: str, usable: Callable[[RawAnswer], bool], until: float
    ) -> RawAnswer | None:
        pause = FIRST_LOOK_SECONDS
        while True:
            stored, locked = await self._gateway.call(
                lambda client: client.mget(_key(question), lock_name), otherwise=NOTHING
            )
            answer = _unpack(stored)
            if answer is not None and usable(answer):
                return answer
            # The answer is put before the lock is given back: without a lock there will be none.
            if locked is None or self._monotonic() + pause >= until:
                return None
            await self._sleep(pause)
            pause = min(1.5 * pause, LONGEST_LOOK_SECONDS)

    async def _renew(self, lock: Any) -> None:
        while True:
            await self._sleep(TURN_SECONDS / 3)
            await self._gateway.acquire(lock)

    async def round_trip(self) -> str | None:
        """Write a value and read it back; `None`, or what went wrong."""
        return await self._gateway.round_trip()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._gateway.aclose()


def _key(question: Any) -> str:
    return PREFIX + _digest(question)


def _digest(question: Any) -> str:
    return hashlib.sha256(repr(question).encode("utf-8", "backslashreplace")).hexdigest()[:40]


def _pack(answer: RawAnswer) -> bytes:
    about = {name: value for name, value in asdict(answer).items() if name != "content"}
    return json.dumps(about).encode() + b"\n" + answer.content


def _unpack(stored: object) -> RawAnswer | None:
    """The answer, or `None` for whatever else is stored under its name."""
    if not isinstance(stored, bytes):
        return None
    about, _, content = stored.partition(b"\n")
    try:
        values = json.loads(about)
        total = values["total"]
        return RawAnswer(
            content, float(values["fetched_at"]), str(values["path"]), None if total is None else int(total)
        )
    # Written by another version or another program.
    except (ValueError, TypeError, KeyError):
        return None
