"""Several replicas with one Redis: one of them tells people, for all of them, and the next one knows what was told.

Without Redis each replica tells people itself, from what was told before: an alert told twice is better than none told.
"""

import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from libraries_io_mcp.alerting.alert import Alert, alert_from_json, alert_to_json
from libraries_io_mcp.alerting.state_file import parsed_state, rendered_state
from libraries_io_mcp.redis_gateway import RedisGateway

PREFIX: Final = "libraries_io_mcp:alerts:1:"
LEADER: Final = f"{PREFIX}leader"
STATE: Final = f"{PREFIX}state"
BY_HAND: Final = f"{PREFIX}by_hand"
SEEN: Final = f"{PREFIX}seen"

LEASE_SECONDS: Final = 10.0
"""One that leads says so every two seconds; after this without a word another one leads."""
SEEN_TTL: Final = 90
"""What a replica sees counts for so long: it looks every 15 seconds."""
KEEP_TTL: Final = 604_800
GRACE_SECONDS: Final = 60.0
"""Replicas do not look at the same moment: what one saw fire so much later is the same alert."""

logger: Final = logging.getLogger(__name__)


class LeaderElection:
    """Who leads, and what the replicas share. Nothing here raises; what comes out of Redis is looked at closely."""

    def __init__(self, gateway: RedisGateway) -> None:
        self._gateway = gateway
        self._lock = gateway.lock(LEADER, LEASE_SECONDS)
        self._latest: bytes | None = None
        self._state: dict[str, Any] = {}
        self._untold: dict[str, float] = {}
        self._unreadable: set[str] = set()
        self.is_leader = False
        """Whether this replica tells people."""

    async def renew(self) -> bool:
        """Lead if nobody else does, and hear what the one who leads knows; whether this replica leads from now on."""
        led = self.is_leader
        holds = await self._gateway.acquire(self._lock)
        # A Redis that is slow for a moment is no reason to tell beside the one who leads.
        self.is_leader = holds if holds is not None else led or self._gateway.silent_seconds >= LEASE_SECONDS
        if holds is not None:
            await self._hear_state(led)
        if self.is_leader != led:
            logger.info("alerts are told to people by %s", "this replica" if self.is_leader else "another replica")
        return self.is_leader and not led

    def latest(self) -> dict[str, Any]:
        """The state as it was last heard of; empty if there was none that could be used."""
        return self._state

    async def load(self) -> dict[str, Any]:
        """The state that a replica saved last, this one or another."""
        await self.renew()
        return self.latest()

    async def save(self, state: Mapping[str, Any]) -> bool:
        """Save it, if this replica leads; false if Redis has not taken it."""
        if not self.is_leader:
            return True
        self._state, self._latest = dict(state), rendered_state(state)
        return await self._store(self._latest)

    async def close(self) -> None:
        """This replica ends: another one may lead at once."""
        await self._gateway.release(self._lock)
        await self._gateway.aclose()

    async def publish(self, alerts: Iterable[Alert]) -> None:
        """Say what this replica sees."""
        await self._gateway.publish(SEEN, json.dumps([alert_to_json(alert) for alert in alerts]).encode(), SEEN_TTL)

    async def resolved(self, fingerprint: str, now: float) -> None:
        """Say that a person resolved an alert here."""
        self._untold[fingerprint] = now
        await self._tell_resolved()

    async def resolved_elsewhere(self, firing: Iterable[Alert]) -> list[str]:
        """Which of these a person resolved at any replica since they fire: fingerprints."""
        await self._tell_resolved()
        nothing: dict[bytes, bytes] = {}
        resolved = await self._gateway.call(lambda client: client.hgetall(BY_HAND), otherwise=nothing, name=BY_HAND)
        moments = {name.decode("utf-8", "replace"): self._moment(at) for name, at in resolved.items()}
        return [
            alert.fingerprint
            for alert in firing
            if (alert.fired_at or 0.0) <= moments.get(alert.fingerprint, -math.inf) + GRACE_SECONDS
        ]

    async def merge(self, own: Sequence[Alert]) -> list[Alert]:
        """What all replicas see: an alert fires as long as it does for one of them. `own` is what this one sees."""
        seen = {alert.fingerprint: alert for alert in own}
        for alert in await self._seen_by_others():
            known = seen.get(alert.fingerprint)
            if known is None or (known.state == "resolved" and alert.state == "firing"):
                seen[alert.fingerprint] = alert
        return list(seen.values())

    async def _hear_state(self, led: bool) -> None:
        kept = await self._gateway.call(lambda client: client.get(STATE), otherwise=None, name=STATE)
        if kept is None:
            # Redis has lost it, or never had it.
            if self.is_leader and self._latest is not None:
                await self._store(self._latest)
        elif kept != self._latest and not (self.is_leader and led):
            state = parsed_state(kept)
            if isinstance(state, str):
                self._say_once("the state", state)
            else:
                self._state, self._latest = state, kept

    async def _store(self, text: bytes) -> bool:
        async def command(client: Any) -> bool:
            return bool(await client.set(STATE, text, ex=KEEP_TTL))

        return await self._gateway.call(command, otherwise=False, name=STATE)

    async def _tell_resolved(self) -> None:
        untold = self._untold
        if not untold:
            return

        async def tell(client: Any) -> bool:
            await client.hset(BY_HAND, mapping=untold)
            await client.expire(BY_HAND, KEEP_TTL)
            return True

        if await self._gateway.call(tell, otherwise=False, name=BY_HAND):
            self._untold = {key: at for key, at in self._untold.items() if key not in untold}

    async def _seen_by_others(self) -> list[Alert]:
        alerts: list[Alert] = []
        for text in (await self._gateway.peers(SEEN)).values():
            try:
                alerts += [alert_from_json(item) for item in json.loads(text)]
            # Such as by another version of this program: what that replica sees is not told from here.
            except (TypeError, ValueError) as error:
                self._say_once("what a replica sees", type(error).__name__)
        return alerts

    def _moment(self, text: bytes) -> float:
        try:
            return float(text)
        except ValueError:
            self._say_once(BY_HAND, "a moment that is none")
            return -math.inf

    def _say_once(self, what: str, why: str) -> None:
        if what not in self._unreadable:
            self._unreadable.add(what)
            logger.warning("alerting: %s in Redis can't be read and counts for nothing: %s", what, why)
