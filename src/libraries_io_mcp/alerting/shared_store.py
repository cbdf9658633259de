"""Redis as alerting asks it: nothing raises or waits for long, and after a failure Redis is left alone for a while."""

import logging
import re
import uuid
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, TypeVar

PREFIX: Final = "libraries_io_mcp:alerts:1:"
REST_SECONDS: Final = 5.0
"""So long Redis is left alone after it failed."""
REDIS_SECONDS: Final = 0.5
"""Longer than that nothing waits for Redis."""

Found = TypeVar("Found")
logger: Final = logging.getLogger(__name__)


def redis_store(url: str, seconds: float = REDIS_SECONDS) -> Any:
    """A client that connects when it is needed, tries once, and waits no longer than `seconds`."""
    # Imported here: an optional dependency.
    library: Any = import_module("redis")
    once = import_module("redis.retry").Retry(import_module("redis.backoff").NoBackoff(), 0)
    # The library knows Valkey by the name of Redis.
    address = re.sub("^valkey", "redis", url)
    return library.Redis.from_url(address, socket_timeout=seconds, socket_connect_timeout=seconds, retry=once)


class SharedStore:
    """What one replica says to the others, and hears of them. `client` is a `redis.Redis`, whose commands may block.

    `monotonic` is a clock that never jumps.
    """

    def __init__(self, client: Any, *, monotonic: Callable[[], float]) -> None:
        self._client = client
        self._monotonic = monotonic
        self._rests_until = 0.0
        self._answered_at = monotonic()
        self.me = uuid.uuid4().hex
        """This replica."""

    @property
    def silent_seconds(self) -> float:
        """How long ago Redis answered last."""
        return self._monotonic() - self._answered_at

    def ask(self, command: Callable[[Any], Found], *, otherwise: Found) -> Found:
        """What `command` gives when it is handed the client; `otherwise` when Redis fails, or failed of late."""
        if self._monotonic() < self._rests_until:
            return otherwise
        try:
            result = command(self._client)
        # Whatever goes wrong with Redis must not end alerting.
        except Exception as error:
            if not self._rests_until:
                logger.warning("alerts are not shared: Redis failed with %s", type(error).__name__)
            self._rests_until = self._monotonic() + REST_SECONDS
            return otherwise
        self._answered_at = self._monotonic()
        if self._rests_until:
            logger.warning("alerts are shared again")
            self._rests_until = 0.0
        return result

    def say(self, topic: str, text: bytes, seconds: int) -> None:
        """Tell the others; it counts for so long, or until the next word on the topic."""
        self.ask(lambda client: self._say(client, topic, text, seconds), otherwise=None)

    def others(self, topic: str) -> dict[bytes, bytes]:
        """What each of the others said last, by replica."""
        return self.ask(lambda client: self._others(client, topic), otherwise={})

    def _say(self, client: Any, topic: str, text: bytes, seconds: int) -> None:
        # Clocks of several machines differ, so the time is Redis' own.
        now, _micros = client.time()
        who = f"{PREFIX}{topic}"
        with client.pipeline(transaction=False) as commands:
            commands.set(f"{who}:{self.me}", text, ex=seconds)
            commands.zadd(who, {self.me: now})
            commands.zremrangebyscore(who, "-inf", now - seconds)
            commands.expire(who, seconds)
            commands.execute()

    def _others(self, client: Any, topic: str) -> dict[bytes, bytes]:
        # By their list: to look for their names among all keys would take as long as there are kept answers.
        who = f"{PREFIX}{topic}"
        names = [each for each in client.zrange(who, 0, -1) if each != self.me.encode()]
        texts = client.mget([who.encode() + b":" + each for each in names]) if names else []
        return {name: text for name, text in zip(names, texts, strict=True) if text is not None}
