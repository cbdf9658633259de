"""Telemetry and log lines on their way out: the ways' own counts, and real destinations, a full disk among them."""

from pathlib import Path

import pytest
from tests.support.polling import poll_until

from libraries_io_mcp.health.checks.leaving import log_destinations, telemetry_export
from libraries_io_mcp.telemetry.deliveries import Counts
from libraries_io_mcp.telemetry.logs.destinations import Destination, line_record, rotating_file

pytestmark = pytest.mark.anyio


async def test_nothing_is_sent_and_that_is_well():
    found = await telemetry_export(lambda: ())()
    assert found.status == "healthy"
    assert "No exporter" in found.details["note"]


async def test_a_way_fails_until_something_arrives_again():
    traces, logs = Counts("traces", "otlp", now=lambda: 5.0), Counts("logs", "file")
    ping = telemetry_export(lambda: (traces.snapshot(), logs.snapshot()))
    assert (await ping()).status == "unknown"
    traces.offered(10)
    traces.delivered(10)
    assert (await ping()).status == "healthy"
    traces.offered(7)
    traces.failed(7, "ExportFailed")
    found = await ping()
    assert found.status == "degraded"
    assert found.error == "Not delivered: traces by otlp: 7 lost, last error ExportFailed"
    assert "doctor" in str(found.what_to_do)
    assert found.details["traces by otlp"]["failed"] == 7
    assert (await ping()).status == "degraded", "nothing new has arrived"
    traces.offered(1)
    traces.delivered(1)
    assert (await ping()).status == "healthy"


async def test_what_is_dropped_is_lost_too():
    counts = Counts("logs", "otlp")
    ping = telemetry_export(lambda: (counts.snapshot(),))
    counts.offered(3)
    counts.dropped(3)
    found = await ping()
    assert (found.status, found.details["logs by otlp"]["dropped"]) == ("degraded", 3)


async def test_a_disk_that_is_full():
    full = Destination("file", rotating_file(Path("/dev/full"), max_bytes=10**9, backup_count=1), on_drop=lambda: None)
    well = Destination(
        "console", rotating_file(Path("/dev/null"), max_bytes=10**9, backup_count=1), on_drop=lambda: None
    )
    both, alone = log_destinations(lambda: (full.facts(), well.facts())), log_destinations(lambda: (full.facts(),))
    assert (await both()).status == "healthy"
    full.start()
    full.put(line_record(20, "a line"))
    full.wake()
    poll_until(lambda: full.facts().error, "the full disk to be noticed")
    found = await both()
    assert found.status == "degraded"
    assert "No space left on device" in str(found.error)
    assert (await alone()).status == "unhealthy"


async def test_lines_that_are_lost_are_told_once():
    full = Destination(
        "console", rotating_file(Path("/dev/null"), max_bytes=10**9, backup_count=1), on_drop=lambda: None, limit=2
    )
    ping = log_destinations(lambda: (full.facts(),))
    for _ in range(5):
        full.put(line_record(20, "a line"))
    found = await ping()
    assert (found.status, found.error) == ("degraded", "console: 3 lines lost since the last look")
    assert (await ping()).status == "healthy"
    assert (await ping()).details["console"]["dropped"] == 3
