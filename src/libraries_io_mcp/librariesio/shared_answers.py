"""Answers that several processes share: an optional second layer below the memory, in Redis or Valkey.

What is stored is the reply's own bytes with what is needed to decode them again; never the key, nor a name in a key.
"""

import asyncio
import hashlib
import json
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, Final, Protocol

from libraries_io_mcp.librariesio.counters import REDIS_SECONDS, REST_SECONDS

PREFIX: Final = "libraries_io_mcp:answer:1:"
LARGEST: Final = 2 * 1024 * 1024
"""Larger replies stay in memory: moving them takes Redis longer than they are worth."""

TURN_PREFIX: Final = "libraries_io_mcp:asking:1:"
TURN_SECONDS: Final = 3.0
"""Who asks says so again three times in this time; after it, the others no longer wait for one that was killed."""
FIRST_LOOK_SECONDS: Final = 0.02
LONGEST_LOOK_SECONDS: Final = 0.2
"""Those who wait for another process's answer look for it after these pauses, which grow."""
CHECK_SECONDS: Final = 4.0
CHECK_KEEP_SECONDS: Final = 60

logger = logging.getLogger("libraries_io_mcp.librariesio")


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


class Store(Protocol):
    """What is used of `redis.asyncio.Redis`, an optional dependency."""

    async def get(self, name: str) -> Any:
        """The value, as bytes."""

    async def mget(self, *names: str) -> Any:
        """Several of them."""

    async def set(
        self, name: str, value: bytes, *, ex: int | None = None, px: int | None = None, nx: bool = False
    ) -> Any:
        """Keep a value for `ex` seconds or `px` milliseconds; with `nx` only if there is none."""

    async def pexpire(self, name: str, time: int) -> Any:
        """Keep it for so many milliseconds from now on."""

    async def delete(self, name: str) -> Any:
        """Keep it no more."""


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
    """Answers in Redis. After a failure it is left alone for a while, with one warning.

    `now` is a clock that never jumps; `seconds` is how long a command may take.
    """

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], float],
        close: Callable[[], Awaitable[None]],
        seconds: float = REDIS_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._sleep = sleep
        self._seconds = seconds
        self._close = close
        self._now = now
        self._rests_until = 0.0

    async def get(self, question: Any) -> RawAnswer | None:
        """The answer to a question, as long as it is fresh."""
        stored = await self._ask(lambda: self._store.get(_key(question)))
        return _unpack(stored) if isinstance(stored, bytes) else None

    async def put(self, question: Any, answer: RawAnswer, keep_seconds: float) -> None:
        """Keep an answer, unless it is very large."""
        if len(answer.content) <= LARGEST and keep_seconds >= 1:
            await self._ask(lambda: self._store.set(_key(question), _pack(answer), ex=int(keep_seconds)))

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
        claim = f"{TURN_PREFIX}{_digest(question)}"
        mine = uuid.uuid4().hex.encode()
        claimed = await self._ask(lambda: self._store.set(claim, mine, px=_milliseconds(TURN_SECONDS), nx=True))
        if not claimed:
            # Either another one asks, or the store does not work: then this finds nothing and ends at once.
            with waiting:
                answer = await self._of_another(question, claim, usable, self._now() + patience_seconds)
            yield answer
            return
        renewing = asyncio.ensure_future(self._renew(claim, mine))
        try:
            yield None
        finally:
            renewing.cancel()
            if await self._ask(lambda: self._store.get(claim)) == mine:
                await self._ask(lambda: self._store.delete(claim))

    async def _of_another(
        self, question: Any, claim: str, usable: Callable[[RawAnswer], bool], until: float
    ) -> RawAnswer | None:
        pause = FIRST_LOOK_SECONDS
        while True:
            found = await self._ask(lambda: self._store.mget(_key(question), claim))
            stored, claimed = found or (None, None)
            answer = _unpack(stored) if isinstance(stored, bytes) else None
            if answer is not None and usable(answer):
                return answer
            # The answer is put before the claim goes: without a claim there will be none.
            if claimed is None or self._now() + pause >= until:
                return None
            await self._sleep(pause)
            pause = min(1.5 * pause, LONGEST_LOOK_SECONDS)

    async def _renew(self, claim: str, mine: bytes) -> None:
        while True:
            await self._sleep(TURN_SECONDS / 3)
            if await self._ask(lambda: self._store.get(claim)) != mine:
                return
            await self._ask(lambda: self._store.pexpire(claim, _milliseconds(TURN_SECONDS)))

    async def round_trip(self) -> str | None:
        """Write a value and read it back, also while the store is left alone; `None`, or what went wrong."""
        name, value = f"{PREFIX}check", str(self._now()).encode()
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._store.set(name, value, ex=CHECK_KEEP_SECONDS)
                # Another process may have written its own value meanwhile; that is an answer as well.
                found = await self._store.get(name)
        except TimeoutError:
            return f"no answer within {CHECK_SECONDS:g} s"
        # Whatever the library raises is what is to be told.
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None if found is not None else "a value that was just written is not there"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._close()

    async def _ask(self, command: Callable[[], Any]) -> Any:
        if self._now() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(self._seconds):
                result = await command()
        # Whatever goes wrong with Redis must not stop the calls.
        except Exception as error:
            if not self._rests_until:
                logger.warning("answers are not shared: Redis failed with %s", type(error).__name__)
            self._rests_until = self._now() + REST_SECONDS
            return None
        if self._rests_until:
            logger.warning("answers are shared again")
            self._rests_until = 0.0
        return result


def redis_pool(url: str, seconds: float = REDIS_SECONDS) -> Any:
    """Connections to the Redis or Valkey of `REDIS_URL`, made when they are needed.

    Raises:
        ImportError: the package `redis` is not installed.
        ValueError: not an address of Redis.
    """
    # Imported here: most installations have no Redis, and it takes a tenth of a second to import.
    library: Any = import_module("redis.asyncio")
    return library.ConnectionPool.from_url(url, socket_timeout=seconds, socket_connect_timeout=seconds)


def redis_client(pool: Any) -> Any:
    """A client over the connections of `pool`."""
    library: Any = import_module("redis.asyncio")
    return library.Redis(connection_pool=pool)


def redis_answers(
    pool: Any,
    *,
    now: Callable[[], float],
    seconds: float = REDIS_SECONDS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> RedisAnswers:
    """Shared answers over the connections of `pool`, which are closed with them."""
    return RedisAnswers(redis_client(pool), now=now, close=pool.aclose, seconds=seconds, sleep=sleep)


def _key(question: Any) -> str:
    return PREFIX + _digest(question)


def _digest(question: Any) -> str:
    return hashlib.sha256(repr(question).encode("utf-8", "backslashreplace")).hexdigest()[:40]


def _milliseconds(seconds: float) -> int:
    return int(1000 * seconds)


def _pack(answer: RawAnswer) -> bytes:
    about = {name: value for name, value in asdict(answer).items() if name != "content"}
    return json.dumps(about).encode() + b"\n" + answer.content


def _unpack(stored: bytes) -> RawAnswer | None:
    about, _, content = stored.partition(b"\n")
    try:
        values = json.loads(about)
        return RawAnswer(content, float(values["fetched_at"]), str(values["path"]), values["total"])
    # Written by another version or another program.
    except (ValueError, TypeError, KeyError):
        return None
