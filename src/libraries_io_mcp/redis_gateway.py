"""The one way to Redis or Valkey: no command waits for long, a failure raises nothing, and then Redis is left alone.

The client's cache and quota use it, and alerting, each in an event loop of its own. `redis` is an optional dependency.
"""

import asyncio
import logging
import re
import uuid
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, Final, TypeVar

REDIS_SECONDS: Final = 0.5
"""Longer than that nothing waits for Redis."""
BACKOFF_SECONDS: Final = 5.0
"""So long Redis is left alone after it failed."""
CHECK_SECONDS: Final = 4.0
"""A check may take longer: nobody waits for it."""
CHECK_TTL: Final = 60
NO_TTL: Final = -1
"""What Redis says of a value that does not end."""
MOST_REFUSALS: Final = 100
"""Each is said once, and no more than these."""
CHECK_NAME: Final = "libraries_io_mcp:check"

T = TypeVar("T")
logger: Final = logging.getLogger(__name__)


class RedisGateway:
    """Asks one Redis. Connections are made when they are needed, and belong to the event loop that asks first.

    Args:
        url: `redis://`, `rediss://`, `valkey://` or `unix://`.
        purpose: what is shared by it, for the log.
        seconds: how long a command may take.

    Raises:
        ImportError: the package `redis` is not installed.
        ValueError: not an address of Redis.
    """

    def __init__(
        self, url: str, *, purpose: str, monotonic: Callable[[], float], seconds: float = REDIS_SECONDS
    ) -> None:
        library: Any = import_module("redis.asyncio")
        once = import_module("redis.asyncio.retry").Retry(import_module("redis.backoff").NoBackoff(), 0)
        self._reply_error: type[Exception] = import_module("redis.exceptions").ResponseError
        # The libraries know Valkey by the name of Redis.
        self.url = re.sub("^valkey", "redis", url)
        self.pool = library.ConnectionPool.from_url(
            self.url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=once
        )
        self.me = uuid.uuid4().hex
        """This process, among its peers."""
        self._client = library.Redis(connection_pool=self.pool)
        self._purpose = purpose
        self._monotonic = monotonic
        self._seconds = seconds
        self._failing_until: float | None = None
        self._answered_at = monotonic()
        self._refusals: set[str] = set()

    @property
    def silent_seconds(self) -> float:
        """How long ago Redis answered last."""
        return self._monotonic() - self._answered_at

    async def call(self, command: Callable[[Any], Awaitable[T]], *, otherwise: T, name: str = "a command") -> T:
        """What `command` gives when it is handed the `redis.asyncio.Redis`; `otherwise` while Redis does not work.

        A command that Redis refuses, such as for a value of another type under that name, costs that command alone.
        """
        if self._failing_until is not None and self._monotonic() < self._failing_until:
            return otherwise
        try:
            async with asyncio.timeout(self._seconds):
                result = await command(self._client)
        except self._reply_error as error:
            self._refused(name, error)
            return otherwise
        # Whatever goes wrong with Redis must stop nobody.
        except Exception as error:
            if self._failing_until is None:
                logger.warning("%s not shared: Redis failed with %s", self._purpose, type(error).__name__)
            self._failing_until = self._monotonic() + BACKOFF_SECONDS
            return otherwise
        self._answered_at = self._monotonic()
        if self._failing_until is not None:
            logger.warning("%s shared again", self._purpose)
            self._failing_until = None
        return result

    def lock(self, name: str, ttl: float) -> Any:
        """redis-py's own `Lock`, not yet taken: it is lost `ttl` seconds after it was taken or renewed last."""
        return self._client.lock(name, timeout=ttl, blocking=False, thread_local=False)

    async def acquire(self, lock: Any) -> bool | None:
        """Take the lock, or renew it if it is held; `None` when Redis does not say."""

        async def take(client: Any) -> bool:
            if await client.pttl(lock.name) == NO_TTL:
                # No lock, since those end by themselves: it would keep everybody out for ever.
                logger.warning("%s is no lock and was removed", lock.name)
                await client.delete(lock.name)
            # By the token that the lock remembers, so nobody else's is ever renewed.
            if lock.local.token is not None and await lock.owned():
                await lock.reacquire()
                return True
            return bool(await lock.acquire())

        return await self.call(take, otherwise=None, name=lock.name)

    async def release(self, lock: Any) -> None:
        """Give it back, if it is held."""

        async def give(_client: Any) -> None:
            if await lock.owned():
                await lock.release()

        await self.call(give, otherwise=None)

    async def publish(self, topic: str, value: bytes, ttl: int) -> None:
        """Tell the peers; it counts for so many seconds, or until the next word on the topic."""

        async def command(client: Any) -> None:
            # Clocks of several machines differ, so the time is Redis' own.
            now, _micros = await client.time()
            async with client.pipeline(transaction=False) as commands:
                commands.set(f"{topic}:{self.me}", value, ex=ttl)
                commands.zadd(topic, {self.me: now})
                commands.zremrangebyscore(topic, "-inf", now - ttl)
                commands.expire(topic, ttl)
                await commands.execute()

        await self.call(command, otherwise=None, name=topic)

    async def peers(self, topic: str) -> dict[bytes, bytes]:
        """What each of the others published last, by process."""

        async def command(client: Any) -> dict[bytes, bytes]:
            # By their list: to look for their names among all keys would take as long as there are kept answers.
            names = [name for name in await client.zrange(topic, 0, -1) if name != self.me.encode()]
            values = await client.mget([topic.encode() + b":" + name for name in names]) if names else []
            return {name: value for name, value in zip(names, values, strict=True) if value is not None}

        return await self.call(command, otherwise={}, name=topic)

    async def round_trip(self) -> str | None:
        """Write a value and read it back, also while Redis is left alone; `None`, or what went wrong."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._client.set(CHECK_NAME, str(self._monotonic()).encode(), ex=CHECK_TTL)
                # Another process may have written its own value meanwhile; that is an answer as well.
                value = await self._client.get(CHECK_NAME)
        except TimeoutError:
            return f"no answer within {CHECK_SECONDS:g} s"
        # Whatever the library raises is what is to be told.
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None if value is not None else "a value that was just written is not there"

    async def aclose(self) -> None:
        """Close the connections."""
        await self.pool.aclose()

    def _refused(self, name: str, error: Exception) -> None:
        self._answered_at = self._monotonic()
        # Its first word only: the others may repeat what was to be stored.
        line = f"{name} was refused by Redis ({next(iter(str(error).split()), type(error).__name__)})"
        if line not in self._refusals and len(self._refusals) < MOST_REFUSALS:
            self._refusals.add(line)
            logger.warning("%s", line)
