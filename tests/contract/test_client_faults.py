"""Every fault under every endpoint: its one typed error in time, or a stale answer that says so; then a good answer."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import httpx
import pytest
from tests.support.polling import HANG_SECONDS
from tests.unit.librariesio.calls import READS, Call, asking, early_in_a_minute, sandbox

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio import endpoints
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.endpoints import Endpoint
from libraries_io_mcp.sandbox.faults import FAULT_NAMES

LIMIT = 100_000
EXPECTED: dict[str, type[errors.CallError]] = {
    "accepted": errors.UpstreamTimeoutError,
    "bad_gateway_slow": errors.UpstreamFaultError,
    "forbidden_json": errors.ForbiddenError,
    "forbidden_text": errors.KeyRejectedError,
    "html": errors.InvalidReplyError,
    "huge": errors.ReplyTooLargeError,
    "not_found": errors.NotFoundError,
    "null": errors.InvalidReplyError,
    "rate_limited": errors.QuotaExceededError,
    "rate_limited_bare": errors.QuotaExceededError,
    "read_only": errors.UpstreamFaultError,
    "redirect": errors.InvalidReplyError,
    "reset": errors.UpstreamUnreachableError,
    "server_error": errors.UpstreamFaultError,
    "slow_body": errors.UpstreamTimeoutError,
    "timeout": errors.UpstreamTimeoutError,
    "truncated": errors.InvalidReplyError,
    "wrong_types": errors.InvalidReplyError,
}
DELETE = "DELETE /subscriptions/{platform}/{name}"
HARMLESS = {
    # A reply without a body has nothing to slow down, to cut or to mistype.
    *((fault, DELETE) for fault in ("slow_body", "truncated", "wrong_types")),
    # What it says of a package that one is not subscribed to.
    ("null", "/subscriptions/{platform}/{name}"),
}
"""Where the reply with the fault is a good one."""
SUBSCRIBED = ("lodash", "express", "axios")
CALLS: dict[str, Call] = READS | {
    "/subscriptions/{platform}/{name}": lambda api: api.subscription("npm", "lodash"),
    "POST /subscriptions/{platform}/{name}": lambda api: api.subscribe("npm", "react"),
    "PUT /subscriptions/{platform}/{name}": lambda api: api.change_subscription(
        "npm", "express", include_prerelease=True
    ),
    DELETE: lambda api: api.unsubscribe("npm", "axios"),
}
KEPT = [name for name in READS if not name.startswith("/subscriptions")]
IMPATIENT = 1.0
PATIENCE = {
    # They last longer than any question may.
    **dict.fromkeys(("accepted", "slow_body", "timeout"), IMPATIENT),
    # Less than the 50 seconds until the next window begins, and more than the refusal takes on a busy machine.
    **dict.fromkeys(("rate_limited", "rate_limited_bare"), 40.0),
}
"""How long a question may take, where that is not the setting's time."""
DELAYS = {"accepted": 2.0, "bad_gateway_slow": 0.05, "slow_body": 0.3}
OUTAGES = [name for name in FAULT_NAMES if name not in {"forbidden_json", "forbidden_text", "not_found", "huge"}]


class Clock:
    """Stands at second 10 of a minute, and is put forward by hand."""

    def __init__(self) -> None:
        self._start = early_in_a_minute()()
        self.later = 0.0

    def __call__(self) -> float:
        return self._start + self.later

    def monotonic(self) -> float:
        """For how long something takes: real time, which is put forward too."""
        return time.monotonic() + self.later


async def _switch_on(base_url: str, name: str, size: int) -> None:
    fault = {"name": name, "size": size} | ({"delay": DELAYS[name]} if name in DELAYS else {})
    async with httpx.AsyncClient(timeout=HANG_SECONDS) as control:
        reply = await control.post(f"{base_url.removesuffix('/api')}/_sandbox/faults", json=fault)
        assert reply.status_code == 200, reply.text


async def _switch_off(base_url: str) -> None:
    async with httpx.AsyncClient(timeout=HANG_SECONDS) as control:
        await control.delete(f"{base_url.removesuffix('/api')}/_sandbox/faults")


async def _outcome(call: Call, api: LibrariesIOClient) -> object:
    try:
        return await call(api)
    except errors.CallError as error:
        return error


def _endpoints() -> Iterator[tuple[str, str]]:
    for value in vars(endpoints).values():
        if isinstance(value, Endpoint):
            write = value.group == "subscriptions" and value.method != "GET"
            yield value.method, f"{value.method} {value.template}" if write else value.template


def test_every_fault_and_every_endpoint_is_in_the_table():
    assert set(EXPECTED) == set(FAULT_NAMES)
    assert {name for _, name in _endpoints()} == set(CALLS)


@pytest.mark.parametrize("name", FAULT_NAMES)
async def test_each_endpoint_fails_with_its_error_in_time_and_the_next_call_works(name):
    """Each endpoint is asked by a client of its own: no breaker or quota that learned from another one."""
    clock = Clock()
    async with sandbox(now=clock) as base_url, AsyncExitStack() as clients:
        options = {"timeout": HANG_SECONDS, "max_reply_bytes": LIMIT, "now": clock, "monotonic": clock.monotonic}
        apis = {each: await clients.enter_async_context(asking(base_url, **options)) for each in CALLS}
        for package in SUBSCRIBED:
            await apis[DELETE].subscribe("npm", package)
        await _switch_on(base_url, name, 2 * LIMIT)
        start = time.monotonic()
        asked = {each: api.asking(timeout_seconds=PATIENCE.get(name)) for each, api in apis.items()}
        outcomes = await asyncio.gather(*(_outcome(call, asked[each]) for each, call in CALLS.items()))
        assert time.monotonic() - start < HANG_SECONDS
        for endpoint, outcome in zip(CALLS, outcomes, strict=True):
            if (name, endpoint) in HARMLESS:
                assert not isinstance(outcome, errors.CallError), (endpoint, outcome)
                continue
            assert type(outcome) is EXPECTED[name], (endpoint, outcome)
            assert str(outcome)
            assert outcome.next_step
        await _switch_off(base_url)
        # The window that a 429 has closed ends, and so does what is known of a 404.
        clock.later = 61.0
        await apis[DELETE].subscribe("npm", "axios")
        for endpoint, call in CALLS.items():
            assert (await call(apis[endpoint])).source == "network", endpoint


@pytest.mark.parametrize("name", OUTAGES)
async def test_a_kept_answer_stands_in_and_says_its_age(name):
    keep = {value.template: value.keep_seconds for value in vars(endpoints).values() if isinstance(value, Endpoint)}
    clock = Clock()
    options = {"timeout": HANG_SECONDS, "max_reply_bytes": 3_000_000, "now": clock, "monotonic": time.monotonic}
    async with sandbox(now=clock) as base_url, asking(base_url, **options) as api:
        for endpoint in KEPT:
            await READS[endpoint](api)
        clock.later = max(keep.values()) + 3600
        await _switch_on(base_url, name, 4_000_000)
        impatient = api.asking(timeout_seconds=IMPATIENT)
        start = time.monotonic()
        replies = await asyncio.gather(*(READS[endpoint](impatient) for endpoint in KEPT))
        assert time.monotonic() - start < IMPATIENT + HANG_SECONDS
        for endpoint, reply in zip(KEPT, replies, strict=True):
            assert (reply.source, endpoint) == ("stale", endpoint)
            assert reply.age_seconds > keep[endpoint]
