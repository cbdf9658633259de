"""The state of alerting that several replicas share in Redis: one of them leads and tells people, for all of them.

Without Redis each replica tells people itself, from what was told before: an alert told twice is better than none told.
"""

import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.shared_store import PREFIX, SharedStore
from libraries_io_mcp.alerting.state_file import VERSION

LEASE: Final = f"{PREFIX}leader"
STATE: Final = f"{PREFIX}state"
BY_HAND: Final = f"{PREFIX}by_hand"

LEASE_SECONDS: Final = 10.0
"""One that leads says so every two seconds; after this without a word another one leads."""
SEEN_SECONDS: Final = 90
"""What a replica sees counts for so long: it looks every 15 seconds."""
KEEP_SECONDS: Final = 604_800
ORPHAN_SECONDS: Final = 120.0
"""An alert that people were told of and that no replica sees any more for so long is over."""
GRACE_SECONDS: Final = 60.0
"""Replicas do not look at the same moment: what one saw fire so much later is the same alert."""

logger: Final = logging.getLogger(__name__)


class SharedState:
    """The state and who leads. Nothing here raises."""

    def __init__(self, store: SharedStore) -> None:
        self._store = store
        self._latest: bytes | None = None
        self._missing: dict[str, float] = {}
        self._untold: dict[str, float] = {}
        self.leads = False
        """Whether this replica tells people."""

    def hold(self) -> bool:
        """Lead if nobody else does, and hear what the one who leads knows; whether this replica leads from now on."""
        led = self.leads
        # A Redis that is slow for a moment is no reason to tell beside the one who leads.
        self.leads = self._store.ask(self._hold, otherwise=led or self._store.silent_seconds >= LEASE_SECONDS)
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
            self._store.ask(lambda client: client.set(STATE, text, ex=KEEP_SECONDS), otherwise=None)

    def close(self) -> None:
        """This replica ends: another one may lead at once."""
        if self.leads:
            self._store.ask(self._let_go, otherwise=None)

    def publish(self, alerts: Iterable[Alert]) -> None:
        """Say what this replica sees."""
        self._store.say("seen", json.dumps([asdict(each) for each in alerts]).encode(), SEEN_SECONDS)

    def resolved(self, fingerprint: str, now: float) -> None:
        """Say that a person resolved an alert here."""
        self._untold[fingerprint] = now
        self._store.ask(self._tell, otherwise=None)

    def resolved_elsewhere(self, firing: Iterable[Alert]) -> list[str]:
        """Which of these a person resolved at any replica since they fire: fingerprints."""
        if self._untold:
            self._store.ask(self._tell, otherwise=None)
        found: dict[bytes, bytes] = self._store.ask(lambda client: client.hgetall(BY_HAND), otherwise={})
        moments = {fingerprint.decode(): float(at) for fingerprint, at in found.items()}
        return [
            each.fingerprint
            for each in firing
            if (each.fired_at or 0.0) <= moments.get(each.fingerprint, -math.inf) + GRACE_SECONDS
        ]

    def together(self, own: Sequence[Alert], told: Iterable[Alert], now: float) -> list[Alert]:
        """What all replicas see: an alert fires as long as it does for one of them.

        Args:
            own: what this one sees.
            told: what people have been told of that is not over for them.
        """
        seen = {each.fingerprint: each for each in own}
        for alert in self._seen_by_others():
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

    def _hold(self, client: Any) -> bool:
        me, milliseconds = self._store.me, int(1000 * LEASE_SECONDS)
        leads = bool(client.set(LEASE, me, px=milliseconds, nx=True))
        if not leads and client.get(LEASE) == me.encode():
            leads = bool(client.pexpire(LEASE, milliseconds))
        kept = client.get(STATE)
        if kept is not None and not (leads and self.leads):
            self._latest = kept
        elif kept is None and leads and self._latest:
            # Redis has lost it.
            client.set(STATE, self._latest, ex=KEEP_SECONDS)
        return leads

    def _let_go(self, client: Any) -> None:
        if client.get(LEASE) == self._store.me.encode():
            client.delete(LEASE)

    def _tell(self, client: Any) -> None:
        client.hset(BY_HAND, mapping=self._untold)
        client.expire(BY_HAND, KEEP_SECONDS)
        self._untold = {}

    def _seen_by_others(self) -> list[Alert]:
        seen: list[Alert] = []
        for text in self._store.others("seen").values():
            try:
                seen += [Alert(**each) for each in json.loads(text)]
            # Such as by another version of this program: what that replica sees is not told from here.
            except (TypeError, ValueError) as error:
                logger.debug("what a replica sees can't be read: %s", type(error).__name__)
        return seen
