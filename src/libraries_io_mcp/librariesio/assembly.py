"""Builds what the client stands on: quota, network stack, cache, shared store."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import httpx
from limits.errors import ConfigurationError
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider
from pydantic import SecretStr

from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.librariesio import endpoints
from libraries_io_mcp.librariesio.ask import Ask
from libraries_io_mcp.librariesio.asking import Asker, Manner
from libraries_io_mcp.librariesio.breaker import BreakerTransport
from libraries_io_mcp.librariesio.cache import Cache
from libraries_io_mcp.librariesio.counters import Counters
from libraries_io_mcp.librariesio.quota import Quota
from libraries_io_mcp.librariesio.replicas import Replicas
from libraries_io_mcp.librariesio.sending import Sender
from libraries_io_mcp.librariesio.shared_answers import NoSharedAnswers, RedisAnswers, SharedAnswers
from libraries_io_mcp.librariesio.transports import network_stack
from libraries_io_mcp.librariesio.vitals import Contacts, Vitals
from libraries_io_mcp.redis_gateway import RedisGateway
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.waits import Waits

PROBE: Final = replace(endpoints.SOURCERANK, keep_seconds=0, repeatable=False, shareable=False, timeout_seconds=10.0)
"""What health asks when nobody else has asked for long: one row of a table; never kept, never shared, sent once."""
PROBED: Final = {"platform": "NPM", "name": "lodash"}
"""The package that the probe asks about. That it is there does not matter: `not found` is an answer."""


def assemble(
    settings: LibrariesIOSettings,
    *,
    instruments: Instruments,
    tracer_provider: TracerProvider | None,
    meter_provider: MeterProvider | None,
    now: Callable[[], float],
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    network: httpx.AsyncBaseTransport | None,
    max_reply_bytes: int,
    cache_max_entries: int,
    cache_max_bytes: int,
    cache_ttl_seconds: float | None,
    redis_url: SecretStr | None,
    redis_seconds: float,
    caller: Callable[[], str],
) -> tuple[Asker, Quota, Vitals, Replicas]:
    """The asker, the quota it draws on, how all its parts are, and the other processes. Nothing is connected yet."""
    base_url, contacts, waits = httpx.URL(settings.base_url), Contacts(monotonic), Waits(tracer_provider, now)
    counters, shared, replicas = _shared(redis_url, monotonic, sleep, redis_seconds)
    quota = _quota(settings, instruments, counters, now, monotonic, sleep, replicas)
    cache = _cache(instruments, waits, now, cache_max_entries, cache_max_bytes)
    stack, breaker = network_stack(
        base_url=base_url,
        key=settings.api_key,
        quota=quota,
        instruments=instruments,
        waits=waits,
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        monotonic=monotonic,
        sleep=sleep,
        network=network,
        max_reply_bytes=max_reply_bytes,
    )
    has_key = settings.api_key is not None
    asker = Asker(
        Sender(stack, base_url=base_url, key_present=has_key, now=now, monotonic=monotonic, sleep=sleep),
        instruments=instruments,
        cache=cache,
        shared=shared,
        waits=waits,
        longest_keep_seconds=cache_ttl_seconds,
        contacts=contacts,
        now=now,
        monotonic=monotonic,
        caller=caller,
    )
    replicas.join(quota.name, breakers=breaker, callers=quota, also=quota.look)
    return asker, quota, _vitals(contacts, asker, quota, breaker, cache, shared, replicas), replicas


def _cache(instruments: Instruments, waits: Waits, now: Callable[[], float], entries: int, size: int) -> Cache:
    return Cache(instruments=instruments, waits=waits, now=now, max_entries=entries, max_bytes=size)


def _quota(
    settings: LibrariesIOSettings,
    instruments: Instruments,
    counters: Counters,
    now: Callable[[], float],
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    replicas: Replicas,
) -> Quota:
    quota = Quota(
        counters,
        key=settings.api_key,
        limit=settings.rate_limit,
        now=now,
        monotonic=monotonic,
        sleep=sleep,
        replicas=lambda: replicas.count,
    )
    instruments.watch_quota(lambda: _budget(quota))
    return quota


def _vitals(
    contacts: Contacts,
    asker: Asker,
    quota: Quota,
    breaker: BreakerTransport,
    cache: Cache,
    shared: SharedAnswers,
    replicas: Replicas,
) -> Vitals:
    return Vitals(
        contacts,
        quota=quota.status,
        breakers=breaker.facts,
        cache=cache.facts,
        deviations=asker.deviations.counts,
        store_kind="memory" if isinstance(shared, NoSharedAnswers) else "redis",
        try_store=shared.round_trip,
        probe=lambda: _probe(asker),
        replicas=lambda: replicas.count,
    )


async def _probe(asker: Asker) -> None:
    await asker.ask(Ask(PROBE, PROBED), Manner(PROBE.timeout_seconds, priority="batch"))


def _shared(
    redis_url: SecretStr | None,
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    seconds: float,
) -> tuple[Counters, SharedAnswers, Replicas]:
    if redis_url is None:
        return Counters(), NoSharedAnswers(), Replicas(None, sleep=sleep)
    try:
        gateway = RedisGateway(
            redis_url.get_secret_value(), purpose="answers and quota are", monotonic=monotonic, seconds=seconds
        )
        return Counters(gateway), RedisAnswers(gateway, monotonic=monotonic), Replicas(gateway, sleep=sleep)
    except (ImportError, ConfigurationError):
        wrong = "REDIS_URL is set, but the package `redis` is not installed."
    except ValueError:
        wrong = "REDIS_URL=***: not allowed; allowed: redis://, rediss:// or valkey:// address"
    # Raised out here: the exceptions above may quote the address, and with it the password.
    raise SettingsError(wrong)


def _budget(quota: Quota) -> tuple[int, int, int]:
    status = quota.status()
    return status.limit, status.remaining, status.waiting
