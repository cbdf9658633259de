"""Every back end killed in turn under load, then the Collector in the middle of one: counted, nothing is missing."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from tests.e2e import points
from tests.e2e.ledger import Ledger
from tests.e2e.load import Load
from tests.e2e.scenario import documented_metrics, product_environment
from tests.servers.binaries import ROOT
from tests.servers.jaeger import tags
from tests.servers.process import ServerProcess
from tests.servers.stack import Stack, running_stack
from tests.support.command import HTTP, Running
from tests.support.polling import poll_until

pytestmark = pytest.mark.outage
OUTAGE_SECONDS: Final = float(os.environ.get("OUTAGE_SECONDS", "120"))
ARRIVAL_SECONDS: Final = 180.0
NAME: Final = "outage"
SLOWEST_CALL_SECONDS: Final = 5.0
DOCUMENTED: Final = documented_metrics(ROOT / "docs" / "telemetry.md")


@dataclass(frozen=True)
class Survived:
    """What was left at the end."""

    stack: Stack
    load: Load
    ledger: Ledger
    kills: list[tuple[str, int]]
    """What was killed, and how many exports the Collector took meanwhile; in the last one it was killed, too."""


def sit_out(load: Load, what: str) -> None:
    """Let the load go on for the length of an outage."""
    end = time.monotonic() + OUTAGE_SECONDS
    poll_until(lambda: time.monotonic() > end or load.trouble, f"{what} to be away", OUTAGE_SECONDS + 10)
    assert load.trouble == []


def outage(
    process: ServerProcess, load: Load, ledger: Ledger, meanwhile: Callable[[], None] | None = None
) -> tuple[str, int]:
    """Kill a server without warning, wait, and start it again. Says what happened, and how many exports were taken."""
    before, taken = load.calls.total(), exports(ledger)
    process.kill()
    sit_out(load, process.name)
    taken = exports(ledger) - taken
    if meanwhile:
        meanwhile()
    process.start()
    process.wait_until_ready()
    calls = load.calls.total() - before
    return f"{process.name} | away for {OUTAGE_SECONDS:g} s, {calls} calls, {taken} exports of metrics", taken


def exports(ledger: Ledger) -> int:
    """How many collections of metrics the Collector has taken."""
    return len({point.time_ns for point in ledger.points})


@pytest.fixture(scope="module")
def survived(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Survived]:
    """A stack of its own after all outages, everything delivered that will be."""
    folder: Path = tmp_path_factory.mktemp("outages")
    with running_stack(folder / "stack") as stack, Ledger(stack.collector.endpoint) as ledger:
        given = product_environment(ledger.endpoint, sandbox_url, NAME) | {"CACHE_TTL_SECONDS": "0"}
        with Running(*HTTP, folder=folder / "product", **given) as server:
            with Load(server.url) as load:
                back_ends = (stack.jaeger, stack.prometheus, stack.influxdb)
                kills = [outage(back_end.process, load, ledger) for back_end in back_ends]

                def collector_too() -> None:
                    stack.collector.process.kill()
                    refused = ledger.refused
                    poll_until(lambda: ledger.refused > refused, "an export that finds no Collector")
                    stack.collector.process.start()
                    stack.collector.process.wait_until_ready()

                kills.append(outage(stack.jaeger.process, load, ledger, collector_too))
            assert server.end("SIGTERM") in (0, -15, 143), server.stderr
        yield Survived(stack, load, ledger, kills)


def kinds(spans: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Spans by kind and name."""
    return Counter((tags(span)["span.kind"], span["operationName"]) for span in spans)


def test_no_call_noticed(survived: Survived, report: list[str]) -> None:
    assert all(taken for _text, taken in survived.kills)
    report += [
        *(text for text, _taken in survived.kills),
        f"{survived.load.calls.total()} calls, slowest {survived.load.slowest:.3f} s",
    ]
    report.append(f"{survived.ledger.refused} exports of the server found no Collector")
    assert survived.load.trouble == []
    assert survived.load.slowest < SLOWEST_CALL_SECONDS


def test_every_call_left_the_server_as_a_span_a_count_and_a_record(survived: Survived) -> None:
    expected = survived.load.calls
    calls = [span for span in survived.ledger.spans if span.kind == "SERVER" and span.name.startswith("tools/call")]
    assert Counter(span.attributes["libraries_io.package"] for span in calls) == expected
    ends = [log for log in survived.ledger.logs if log.attributes.get("mcp.method.name") == "tools/call"]
    assert sum("libraries_io.outcome" in log.attributes for log in ends) == expected.total()
    counts = [
        point
        for point in survived.ledger.points
        if point.name == "mcp.server.operation.duration" and "gen_ai.tool.name" in point.attributes
    ]
    last = max(point.time_ns for point in counts)
    assert sum(point.count for point in counts if point.time_ns == last) == expected.total()


def test_jaeger_has_every_span(survived: Survived, report: list[str]) -> None:
    sent = {span.span_id: (span.kind.lower(), span.name) for span in survived.ledger.spans}

    def found() -> dict[str, dict[str, Any]]:
        traces = survived.stack.jaeger.traces(limit=100_000)
        return {span["spanID"]: span for trace in traces for span in trace["spans"]}

    poll_until(lambda: found().keys() >= sent.keys(), f"{len(sent)} spans in Jaeger", ARRIVAL_SECONDS)
    there = found()
    assert there.keys() == sent.keys()
    by_kind = kinds(list(there.values()))
    assert by_kind == Counter(sent.values())
    report += [f"spans | {kind} {name} | sent and in Jaeger: {by_kind[kind, name]}" for kind, name in sorted(by_kind)]


@pytest.mark.parametrize("back_end", ["Prometheus", "InfluxDB"])
def test_every_point_is_there(survived: Survived, report: list[str], back_end: str) -> None:
    """Of each series every point that the Collector took, with its value."""
    sent = points.sent(survived.ledger.points, DOCUMENTED)

    def found() -> points.Points:
        if back_end == "Prometheus":
            return points.in_prometheus(survived.stack.prometheus, NAME)
        return points.in_influxdb(survived.stack.influxdb, NAME, DOCUMENTED)

    total = sum(len(values) for values in sent.values())
    poll_until(lambda: not points.missing(sent, found()), f"{total} points in {back_end}", ARRIVAL_SECONDS)
    there = found()
    assert {series: len(values) for series, values in there.items()} == {
        series: len(values) for series, values in sent.items()
    }
    report.append(f"points | {len(sent)} series, {exports(survived.ledger)} exports | taken and in {back_end}: {total}")


def test_influxdb_has_every_record(survived: Survived, report: list[str]) -> None:
    sent = Counter(str(log.body) for log in survived.ledger.logs)
    query = f"""
        from(bucket: "logs") |> range(start: -6h)
        |> filter(fn: (r) => r._measurement == "logs" and (r._field == "body" or r._field == "attributes"))
        |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
        |> filter(fn: (r) => r.attributes =~ /"{NAME}"/)
        |> group() |> keep(columns: ["body"])
    """

    def found() -> Counter[str]:
        return Counter(row["body"] for row in survived.stack.influxdb.flux(query))

    poll_until(lambda: found() >= sent, f"{sent.total()} records in InfluxDB", ARRIVAL_SECONDS)
    assert found() == sent
    report.append(f"log records | sent and in InfluxDB: {sent.total()}")
