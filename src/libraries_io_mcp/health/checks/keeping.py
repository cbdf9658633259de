"""What is kept: the cache in memory, and the store that is shared with other processes."""

from collections import Counter, deque
from typing import Final

from libraries_io_mcp.health.check import Outcome, Ping
from libraries_io_mcp.librariesio.vitals import CacheFacts, Vitals
from libraries_io_mcp.telemetry.semconv import CacheResult

LOOKS: Final = 20
"""Look-ups are counted over so many looks of the check."""
ENOUGH: Final = 50
"""Fewer look-ups say nothing about how well the cache does."""
POOR: Final = 0.1
"""A share of hits below this, with a full cache, is poor; a share of old answers above it, too many."""


def cache_performance(vitals: Vitals) -> Ping:
    """Whether the cache saves requests: judged by the look-ups of the last minutes."""
    before: deque[Counter[CacheResult]] = deque(maxlen=LOOKS)

    async def ping() -> Outcome:
        facts = vitals.cache()
        total = Counter(facts.lookups)
        recent = total - before[0] if before else total
        before.append(total)
        return _judged(facts, recent)

    return ping


def _judged(facts: CacheFacts, recent: "Counter[CacheResult]") -> Outcome:
    count, hits = recent.total(), recent["hit"] + recent["negative"] + recent["coalesced"]
    full = facts.entries >= facts.max_entries or facts.size_bytes >= 0.95 * facts.max_bytes
    details = {
        "entries": facts.entries,
        "max_entries": facts.max_entries,
        "size_bytes": facts.size_bytes,
        "max_bytes": facts.max_bytes,
        "recent_lookups": dict(sorted(recent.items())),
        "recent_hit_rate": round(hits / count, 4) if count else None,
    }
    if recent["stale"] > count * POOR:
        error = f"{recent['stale']} of the last {count} look-ups were answered with an old answer."
        return Outcome("degraded", error, details, "Libraries.io does not answer: see api_connectivity.")
    if count >= ENOUGH and full and hits < count * POOR:
        error = f"The cache is full and only {hits} of the last {count} look-ups were hits."
        advice = "Raise CACHE_MAX_ENTRIES and CACHE_MAX_BYTES, or share answers by REDIS_URL."
        return Outcome("degraded", error, details, advice)
    if not any(facts.lookups.values()):
        return Outcome("unknown", "Nothing was looked up yet.", details)
    return Outcome("healthy", None, details)


def storage_connectivity(vitals: Vitals) -> Ping:
    """The store that is really configured: a value is written to it and read back."""

    async def ping() -> Outcome:
        if vitals.store_kind == "memory":
            return Outcome("healthy", None, {"store": "memory"})
        replicas = vitals.replicas()
        details = {"store": vitals.store_kind, "replicas": replicas}
        error = await vitals.try_store()
        if error is None:
            return Outcome("healthy", None, details)
        advice = (
            "Start Redis or Valkey, or correct REDIS_URL. Until then this process goes on alone: answers are not shared"
            f", and it asks no more than its part of the quota, one of {replicas}."
        )
        return Outcome("degraded", f"Redis does not work: {error}", details, advice)

    return ping
