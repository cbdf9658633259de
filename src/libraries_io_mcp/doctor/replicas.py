"""Servers that share a Redis or Valkey: how many it knows, whether they share one quota, and who tells of alerts."""

import time
from typing import Any, Final

from libraries_io_mcp.alerting.leader_election import LEADER
from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.librariesio.replicas import GONE_SECONDS, PREFIX
from libraries_io_mcp.redis_gateway import CHECK_SECONDS, RedisGateway
from libraries_io_mcp.settings import Settings

MOST_GROUPS: Final = 100


async def examine_replicas(settings: Settings) -> tuple[Finding, ...]:
    """Finding `replicas`. What is wrong with Redis itself says `cache store`."""
    url = settings.redis.url
    if url is None:
        return (Finding("replicas", "skipped", "REDIS_URL", "not set: this server shares nothing with others"),)
    tried = "who has said in REDIS_URL, in the last ten seconds, that it is there"
    try:
        seen = await _look(url.get_secret_value())
    except (ImportError, ValueError):
        seen = None
    if seen is None:
        return (Finding("replicas", "skipped", tried, "it can't be read: see cache store"),)
    groups, leads = seen
    if not groups:
        return (Finding("replicas", "ok", tried, "no server"),)
    count = sum(groups)
    servers = "1 server" if count == 1 else f"{count} servers"
    found = f"{servers}, {'one' if leads else 'none'} of them leads in telling of alerts"
    if len(groups) > 1:
        sizes = " and ".join(str(each) for each in groups)
        found = f"{found}; they have different API keys ({sizes} with the same), so they share no quota"
        advice = "Give all replicas the same LIBRARIES_IO_API_KEY, unless they are meant to be apart."
        return (Finding("replicas", "warning", tried, found, advice),)
    return (Finding("replicas", "ok", tried, found),)


async def _look(url: str) -> tuple[list[int], bool] | None:
    """How many servers share each quota, the most first; and whether one of them leads."""
    gateway = RedisGateway(url, purpose="replicas are", monotonic=time.monotonic, seconds=CHECK_SECONDS)

    async def look(client: Any) -> tuple[list[int], bool]:
        return await _members(client), bool(await client.exists(LEADER))

    try:
        # What is wrong with Redis itself says `cache store`.
        return None if await gateway.round_trip() is not None else await gateway.call(look, otherwise=None)
    finally:
        await gateway.aclose()


async def _members(store: Any) -> list[int]:
    # By the clock of Redis, as they write it.
    seconds, _ = await store.time()
    counts = []
    async for name in store.scan_iter(match=f"{PREFIX}*:members", count=1_000):
        counts.append(int(await store.zcount(name, seconds - GONE_SECONDS, "+inf")))
        if len(counts) == MOST_GROUPS:
            break
    return sorted((each for each in counts if each), reverse=True)
