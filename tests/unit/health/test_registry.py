"""Checks in the background: when they are made, and what is said of one that hangs, breaks, or is overdue."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest
from tests.unit.librariesio.service import FakeClock

from libraries_io_mcp.health.check import Check, Outcome, Ping
from libraries_io_mcp.health.registry import JITTER, Registry

pytestmark = pytest.mark.anyio


def saying(*outcomes: Outcome) -> Ping:
    """Says each in turn, and the last one for good."""
    left = list(outcomes)

    async def ping() -> Outcome:
        return left.pop(0) if len(left) > 1 else left[0]

    return ping


def registry(*checks: Check, clock: FakeClock | None = None, part: Callable[[], float] = lambda: 0.5) -> Registry:
    clock = clock or FakeClock()
    return Registry(
        checks,
        about=lambda: {"version": "1"},
        clean=lambda text: text.replace("secret", "***"),
        now=clock.now,
        monotonic=clock.now,
        sleep=clock.sleep,
        random_part=part,
    )


def one(found: Registry) -> Outcome:
    return found.report().findings[0].outcome


async def test_before_the_first_look_nothing_is_healthy():
    found = registry(Check("alerting", saying(Outcome("healthy"))))
    (finding,) = found.report().findings
    assert (finding.status, finding.checked_at, finding.age) == ("unknown", None, None)
    assert found.report().score is None
    await found.look("alerting")
    assert one(found).status == "healthy"


async def test_a_report_makes_no_look():
    looks = Counter[str]()

    async def ping() -> Outcome:
        looks["made"] += 1
        return Outcome("healthy")

    found = registry(Check("alerting", ping))
    for _ in range(5):
        found.report()
    assert looks["made"] == 0


async def test_a_check_that_breaks_is_unhealthy_and_tells_no_secret():
    async def ping() -> Outcome:
        raise RuntimeError("with the secret in it")

    found = registry(Check("alerting", ping))
    await found.look("alerting")
    assert (one(found).status, one(found).error) == (
        "unhealthy",
        "The check failed with RuntimeError: with the *** in it",
    )


async def test_a_check_that_hangs_is_unhealthy():
    async def ping() -> Outcome:
        await asyncio.Event().wait()
        raise AssertionError("it never comes to this")

    found = registry(Check("alerting", ping, timeout=0.01))
    await found.look("alerting")
    assert one(found).status == "unhealthy"
    assert "did not end within 0.01 s" in str(one(found).error)


async def test_secrets_in_details_are_masked():
    details = {"a": ["secret", {"b": "the secret"}], "n": 1}
    found = registry(Check("alerting", saying(Outcome("degraded", "a secret", details))))
    await found.look("alerting")
    assert one(found).details == {"a": ["***", {"b": "the ***"}], "n": 1}
    assert one(found).error == "a ***"


async def test_what_was_not_looked_at_for_long_is_not_believed():
    clock = FakeClock()
    found = registry(Check("alerting", saying(Outcome("healthy")), interval=10, timeout=5), clock=clock)
    await found.look("alerting")
    clock.time += 35
    assert one(found).status == "healthy"
    clock.time += 1
    assert one(found).status == "unknown"
    assert "36 s ago and found: healthy" in str(one(found).error)


async def test_each_check_is_made_at_its_interval_give_or_take_the_jitter():
    for part in (0.0, 1.0):
        clock, made = FakeClock(), Counter[str]()
        started = clock.time

        def counting(name: str, made: Counter[str] = made) -> Ping:
            async def ping() -> Outcome:
                made[name] += 1
                return Outcome("healthy")

            return ping

        checks = (
            Check("alerting", counting("often"), interval=10),
            Check("cache_performance", counting("seldom"), interval=100),
        )
        running = asyncio.ensure_future(registry(*checks, clock=clock, part=lambda part=part: part).run())

        async def until_later(clock: FakeClock = clock) -> None:
            await clock.sleep(1000)

        await clock.run(until_later())
        running.cancel()
        assert clock.time == started + 1000
        interval = 10 * (1 - JITTER) if part == 0.0 else 10 * (1 + JITTER)
        assert made["often"] == pytest.approx(1000 / interval, abs=2)
        assert made["seldom"] == pytest.approx(100 / interval, abs=2)


async def test_one_that_breaks_does_not_stop_the_others():
    clock, made = FakeClock(), Counter[str]()

    async def breaks() -> Outcome:
        made["breaks"] += 1
        raise OSError("no")

    async def works() -> Outcome:
        made["works"] += 1
        return Outcome("healthy")

    running = asyncio.ensure_future(
        registry(
            Check("alerting", breaks, interval=10), Check("cache_performance", works, interval=10), clock=clock
        ).run()
    )
    await clock.run(clock.sleep(100))
    running.cancel()
    assert made["works"] >= 9
    assert made["breaks"] >= 9


def test_two_checks_of_one_name():
    with pytest.raises(ValueError, match="same name"):
        registry(Check("alerting", saying(Outcome("healthy"))), Check("alerting", saying(Outcome("healthy"))))
