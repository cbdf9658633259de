"""Every back end killed in turn under load, then the Collector in the middle of one: counted, nothing is missing."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.e2e.load import Load
from tests.e2e.scenario import product_environment
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


@dataclass(frozen=True)
class Survived:
    """What was left at the end."""

    stack: Stack
    load: Load
    kills: list[str]


def sit_out(load: Load, what: str) -> None:
    """Let the load go on for the length of an outage."""
    end = time.monotonic() + OUTAGE_SECONDS
    poll_until(lambda: time.monotonic() > end or load.trouble, f"{what} to be away", OUTAGE_SECONDS + 10)
    assert load.trouble == []


def outage(process: ServerProcess, load: Load, meanwhile: Callable[[], None] | None = None) -> str:
    """Kill a server without warning, wait, and start it again."""
    before = load.calls.total()
    process.kill()
    sit_out(load, process.name)
    if meanwhile:
        meanwhile()
    process.start()
    process.wait_until_ready()
    return f"{process.name}: away for {OUTAGE_SECONDS:g} s and {load.calls.total() - before} calls"


@pytest.fixture(scope="module")
def survived(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Survived]:
    """A stack of its own after all outages, everything delivered that will be."""
    folder: Path = tmp_path_factory.mktemp("outages")
    with running_stack(folder / "stack") as stack:
        given = product_environment(stack.collector.endpoint, sandbox_url, NAME) | {"CACHE_TTL_SECONDS": "0"}
        with Running(*HTTP, folder=folder / "product", **given) as server:
            with Load(server.url) as load:
                kills = [
                    outage(back_end.process, load) for back_end in (stack.jaeger, stack.prometheus, stack.influxdb)
                ]

                def collector_too() -> None:
                    stack.collector.process.kill()
                    stack.collector.process.start()
                    stack.collector.process.wait_until_ready()

                kills.append(outage(stack.jaeger.process, load, collector_too) + ", the Collector killed meanwhile")
            assert server.end("SIGTERM") in (0, -15, 143), server.stderr
        yield Survived(stack, load, kills)


def test_no_call_noticed(survived: Survived) -> None:
    print(*survived.kills, f"{survived.load.calls.total()} calls, slowest {survived.load.slowest:.3f} s", sep="\n")  # noqa: T201
    assert survived.load.trouble == []
    assert survived.load.slowest < SLOWEST_CALL_SECONDS


def test_jaeger_has_every_span(survived: Survived) -> None:
    def found() -> Counter[str]:
        server_spans = [
            span
            for trace in survived.stack.jaeger.traces(limit=100_000)
            for span in trace["spans"]
            if span["operationName"] == "tools/call get_package_info" and tags(span)["span.kind"] == "server"
        ]
        return Counter(tags(span)["libraries_io.package"] for span in server_spans)

    expected = survived.load.calls
    poll_until(lambda: found().total() >= expected.total(), f"{expected} in Jaeger", ARRIVAL_SECONDS)
    assert found() == expected


def test_prometheus_has_the_last_count(survived: Survived) -> None:
    chosen = f'gen_ai_tool_name="get_package_info",deployment_environment_name="{NAME}"'
    series = f"mcp_server_operation_duration_seconds_count{{{chosen}}}"
    expected = survived.load.calls.total()
    poll_until(
        lambda: survived.stack.prometheus.value(f"last_over_time({series}[1h])") == expected,
        f"{expected} in Prometheus",
        ARRIVAL_SECONDS,
    )


def test_prometheus_has_no_gap(survived: Survived) -> None:
    series = f'libraries_io_operations_active{{deployment_environment_name="{NAME}"}}'
    gaps = poll_until(
        lambda: survived.stack.prometheus.query(f"count_over_time({series}[1h])"),
        "points in Prometheus",
        ARRIVAL_SECONDS,
    )
    assert gaps[0].value > 4 * OUTAGE_SECONDS * 0.8  # a point a second is sent


def test_influxdb_has_the_last_count_and_no_gap(survived: Survived) -> None:
    chosen = f"""
        from(bucket: "metrics") |> range(start: -1h)
        |> filter(fn: (r) => r["deployment.environment.name"] == "{NAME}")
        |> filter(fn: (r) => r._measurement == "mcp.server.operation.duration" and r._field == "count")
        |> filter(fn: (r) => r["gen_ai.tool.name"] == "get_package_info")
    """
    expected = survived.load.calls.total()

    def last() -> float:
        return sum(float(row["_value"]) for row in survived.stack.influxdb.flux(chosen + "|> last()"))

    poll_until(lambda: last() == expected, f"{expected} in InfluxDB", ARRIVAL_SECONDS)
    points = survived.stack.influxdb.flux(chosen + "|> group() |> count()")
    assert float(points[0]["_value"]) > 4 * OUTAGE_SECONDS * 0.8


def test_influxdb_has_the_log_of_every_call(survived: Survived) -> None:
    query = f"""
        from(bucket: "logs") |> range(start: -1h)
        |> filter(fn: (r) => r._measurement == "logs" and r._field == "attributes")
        |> filter(fn: (r) => r._value =~ /"{NAME}"/ and r._value =~ /"tools\\/call"/)
        |> filter(fn: (r) => r._value =~ /libraries_io.outcome/)
        |> group() |> count()
    """
    expected = survived.load.calls.total()

    def counted() -> int:
        return sum(int(row["_value"]) for row in survived.stack.influxdb.flux(query))

    poll_until(lambda: counted() >= expected, f"{expected} log records in InfluxDB", ARRIVAL_SECONDS)
    assert counted() == expected
