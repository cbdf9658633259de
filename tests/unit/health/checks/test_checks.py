"""All checks together: their names are those of the metric, and a working day of looks leaves nothing behind."""

import asyncio
import gc
import logging

import pytest
from tests.support.own_process import in_own_process
from tests.unit.librariesio.service import PROJECT, FakeClock, answer, client

from libraries_io_mcp.health.checks import AlertingFacts, checks
from libraries_io_mcp.health.registry import Registry
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.telemetry.deliveries import Counts
from libraries_io_mcp.telemetry.logs.destinations import DestinationFacts
from libraries_io_mcp.telemetry.semconv import HEALTH_CHECKS

pytestmark = pytest.mark.anyio
HOURS = 8
LOOKS_AN_HOUR = 360


def registry(api: LibrariesIOClient, clock: FakeClock) -> Registry:
    counts = Counts("traces", "otlp", now=clock.now)

    def deliveries():
        counts.offered(2)
        counts.delivered(1)
        counts.failed(1, "ExportFailed")
        return (counts.snapshot(),)

    found = checks(
        api.vitals,
        deliveries=deliveries,
        destinations=lambda: (DestinationFacts("console", int(clock.time), 0, None),),
        alerting_facts=lambda: AlertingFacts("in_process", last_evaluation_age=1.0),
        problems=tuple,
        seconds=10,
        probe_seconds=300,
    )
    return Registry(found, about=dict, clean=str, now=clock.now, monotonic=clock.now, sleep=clock.sleep)


async def test_the_names_are_those_of_the_metric():
    clock = FakeClock()
    # Which also knows the one that is only there with JSON Web Tokens.
    assert {*registry(client(lambda _: answer(PROJECT), clock), clock).names, "sign_in"} == HEALTH_CHECKS


def test_eight_hours_of_looks_leave_nothing_behind():
    first, *later = in_own_process(objects_after_each_hour)
    # Timers that were not needed are swept up a hundred at a time.
    assert max(later) - first < 1_000, (first, later)


def objects_after_each_hour() -> list[int]:
    """How many objects the collector of garbage knows after each of the hours."""
    # A line of each look would be kept where somebody keeps lines.
    logging.getLogger("libraries_io_mcp").setLevel(logging.CRITICAL)
    clock = FakeClock()
    found = registry(client(lambda _: answer({"error": "down"}, 503), clock), clock)

    async def an_hour() -> int:
        for _ in range(LOOKS_AN_HOUR):
            clock.time += 10
            for name in found.names:
                await found.look(name)
            found.report().facts()
            # The loop sweeps up timers that were not needed when it turns.
            await asyncio.sleep(0)
        gc.collect()
        return len(gc.get_objects())

    async def the_hours() -> list[int]:
        return [await an_hour() for _ in range(HOURS)]

    return asyncio.run(the_hours())
