"""The state of alerting that several replicas share in Redis: one of them leads and tells people, for all of them.

Without Redis each replica tells people itself, from what was told before: an alert told twice is better than none told.
"""

import json
import logging
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import import_module
from typing import Any, Final

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.state_file import VERSION

PREFIX: Final = "libraries_io_mcp:alerts:1:"
LEASE_SECONDS: Final = 10.0
"""One that leads says so every two seconds; after this without a word another one leads."""
SEEN_SECONDS: Final = 90
"""What a replica sees counts for so long: it looks every 15 seconds."""
KEEP_SECONDS: Final = 604_800
ORPHAN_SECONDS: Final = 120.0
"""An alert that people were told of and that no replica sees any more for so long is over."""
REST_SECONDS: Final = 15.0
"""So long Redis is left alone after it failed."""

REDIS_SECONDS: Final = 0.5
"""Longer than that nothing waits for Redis."""

logger: Final = logging.getLogger(__name__)


def redis_store(url: str, seconds: float = REDIS_SECONDS) -> Any:
    """A client that connects when it is needed, tries once, and waits no longer than `seconds`."""
    # Imported here: an optional dependency.
    library: Any = import_module("redis")
    once = import_module("redis.retry").Retry(import_module("redis.backoff").NoBackoff(), 0)
    # The library knows Valkey by the name of Redis.
    address = re.sub("^valkey", "redis", url)
    return library.Redis.from_url(address, socket_timeout=seconds, socket_connect_timeout=seconds, retry=once)


class SharedState:
    """The state and who leads. Nothing here raises. `store` is a `redis.Redis`, whose commands may block for a moment.

    `monotonic` is a clock that never jumps.
    """

    def __init__(self, store: Any, *, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._me = uuid.uuid4().hex
        self._rests_until = 0.0
        self._latest: bytes | None = None
        self._missing: dict[str, float] = {}
        self.leads = False
        """Whether this replica tells people."""

    def hold(self) -> bool:
        """Lead if nobody else does, and hear what the one who leads knows; whether this replica leads from now on."""
        led = self.leads
        self.leads = bool(self._ask(self._hold, otherwise=True))
        if self.leads != led:
            logger.info("alerts are told to people by %s", "this replica" if self.leads else "another replica")
        return self.leads and not led

    def latest(self) -> dict[str, Any]:
        """The state as it was last heard of; empty if there is none that can be used."""
        try:
            found = json.loads(self._latest) if self._latest else {}
        except ValueError:
            found = {}
        return found if isinstance(found, dict) and found.get("version") == VERSION else {}

    def load(self) -> dict[str, Any]:
        """The state that a replica saved last, this one or another."""
        self.hold()
        return self.latest()

    def save(self, state: Mapping[str, Any]) -> None:
        """Save it, if this replica leads."""
        if self.leads:
            text = json.dumps({"version": VERSION, **state}, separators=(",", ":")).encode()
            self._latest = text
            self._ask(lambda: self._store.set(f"{PREFIX}state", text, ex=KEEP_SECONDS), otherwise=None)

    def close(self) -> None:
        """This replica ends: another one may lead at once."""
        if self.leads:
            self._ask(self._let_go, otherwise=None)

    def publish(self, alerts: Iterable[Alert]) -> None:
        """Say what this replica sees."""
        text = json.dumps([asdict(each) for each in alerts]).encode()
        self._ask(lambda: self._store.set(f"{PREFIX}seen:{self._me}", text, ex=SEEN_SECONDS), otherwise=None)

    def together(self, own: Sequence[Alert], told: Iterable[Alert], now: float) -> list[Alert]:
        """What all replicas see: an alert fires as long as it does for one of them.

        Args:
            own: what this one sees.
            told: what people have been told of that is not over for them.
        """
        seen = {each.fingerprint: each for each in own}
        for alert in self._ask(self._seen_by_others, otherwise=[]):
            known = seen.get(alert.fingerprint)
            if known is None or (known.state == "resolved" and alert.state == "firing"):
                seen[alert.fingerprint] = alert
        orphans = {each.fingerprint: each for each in told if each.fingerprint not in seen}
        self._missing = {key: self._missing.get(key, now) for key in orphans}
        ended = [
            replace(each, state="resolved", resolved_at=now)
            for key, each in orphans.items()
            if now - self._missing[key] >= ORPHAN_SECONDS
        ]
        return [*seen.values(), *ended]

    def _hold(self) -> bool:
        lease, milliseconds = f"{PREFIX}leader", int(1000 * LEASE_SECONDS)
        leads = bool(self._store.set(lease, self._me, px=milliseconds, nx=True))
        if not leads and self._store.get(lease) == self._me.encode():
            leads = bool(self._store.pexpire(lease, milliseconds))
        kept = self._store.get(f"{PREFIX}state")
        if kept is not None and not (leads and self.leads):
            self._latest = kept
        elif kept is None and leads and self._latest:
            # Redis has lost it.
            self._store.set(f"{PREFIX}state", self._latest, ex=KEEP_SECONDS)
        return leads

    def _let_go(self) -> None:
        if self._store.get(f"{PREFIX}leader") == self._me.encode():
            self._store.delete(f"{PREFIX}leader")

    def _seen_by_others(self) -> list[Alert]:
        names = [name for name in self._store.scan_iter(f"{PREFIX}seen:*") if not name.endswith(self._me.encode())]
        texts = self._store.mget(names) if names else []
        return [Alert(**each) for text in texts if text for each in json.loads(text)]

    def _ask(self, command: Callable[[], Any], *, otherwise: Any) -> Any:
        if self._monotonic() < self._rests_until:
            return otherwise
        try:
            result = command()
        # Whatever goes wrong with Redis must not end alerting.
        except Exception as error:
            if not self._rests_until:
                logger.warning("alerts are not shared: Redis failed with %s", type(error).__name__)
            self._rests_until = self._monotonic() + REST_SECONDS
            return otherwise
        if self._rests_until:
            logger.warning("alerts are shared again")
            self._rests_until = 0.0
        return result
