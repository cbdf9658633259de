"""The summary: what it reads off histograms, how it forgets, and that it tells what the exporters tell."""

import random
import statistics

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.distribution import Distribution, together
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.recent import Recent
from libraries_io_mcp.telemetry.semconv import MCP_BUCKETS
from libraries_io_mcp.telemetry.summary import NOTE, Summary

CALL = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "get_package_info"}


class Stage:
    """A meter, a summary of it, and a clock that is told to move."""

    def __init__(self) -> None:
        self.time = 0.0
        self.exported = InMemoryMetricReader()
        self.provider = MeterProvider([self.exported], shutdown_on_exit=False)
        self.instruments = Instruments(self.provider.get_meter(semconv.SCOPE_NAME))
        self.summary = Summary(Recent(self.provider).collect, monotonic=lambda: self.time)

    def call(self, seconds: float, **more: str) -> None:
        self.instruments.operation(seconds, {**CALL, **more})

    def pass_minutes(self, minutes: float) -> None:
        for _ in range(int(minutes * 4)):
            self.time += 15
            self.summary.gather()

    def facts(self) -> dict:
        return self.summary.facts()["operations"]["tools/call get_package_info"]


def distribution(values: list[float]) -> Distribution:
    edges = [*MCP_BUCKETS, float("inf")]
    buckets = [0] * len(edges)
    for value in values:
        buckets[next(number for number, edge in enumerate(edges) if value <= edge)] += 1
    return Distribution(MCP_BUCKETS, tuple(buckets), sum(values), min(values), max(values))


def test_what_is_exact_is_exact():
    stage = Stage()
    for seconds in (0.01, 0.03, 0.4, 2.0):
        stage.call(seconds)
    stage.call(0.5, **{"error.type": "tool_error"})
    found = stage.facts()["since_start"]
    assert (found["count"], found["failures"], found["success_rate"]) == (5, 1, 0.8)
    assert (found["min"], found["max"], found["mean"]) == (0.01, 2.0, 0.588)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_percentile_lies_in_the_bucket_of_the_true_one(share: float):
    numbers = random.Random(7)  # noqa: S311 - the same numbers each time
    values = [numbers.lognormvariate(-2, 1) for _ in range(5000)]
    true = statistics.quantiles(values, n=1000)[int(share * 1000) - 1]
    found = distribution(values).percentile(share)
    edges = (min(values), *MCP_BUCKETS, max(values))
    low, high = max(edge for edge in edges if edge <= true), min(edge for edge in edges if edge >= true)
    assert low <= found <= high


@pytest.mark.parametrize("values", [[0.3], [0.3, 0.3], [400.0, 900.0], [0.001]])
def test_percentiles_stay_between_min_and_max(values: list[float]):
    found = distribution(values)
    for share in (0.0, 0.01, 0.5, 0.99, 1.0):
        assert min(values) <= found.percentile(share) <= max(values)


def test_all_together():
    assert together([]) is None
    both = together([distribution([0.1, 0.2]), distribution([5.0])])
    assert both == distribution([0.1, 0.2, 5.0])


def test_the_last_five_minutes_forget_and_the_whole_does_not():
    stage = Stage()
    stage.call(10.0)
    stage.pass_minutes(4)
    stage.call(1.0)
    assert stage.facts()["last_5_minutes"]["count"] == 2
    stage.pass_minutes(2)
    found = stage.facts()
    assert (found["last_5_minutes"]["count"], found["last_5_minutes"]["max"]) == (1, 1.0)
    assert (found["since_start"]["count"], found["since_start"]["max"]) == (2, 10.0)
    stage.pass_minutes(10)
    assert stage.facts()["last_5_minutes"] is None


def test_reading_it_changes_nothing():
    stage = Stage()
    stage.call(1.0)
    assert stage.facts() == stage.facts()
    assert stage.summary.facts()["note"] == NOTE


def test_it_tells_what_the_exporters_tell():
    stage = Stage()
    for seconds in (0.1, 0.2):
        stage.call(seconds)
    stage.instruments.call("/search", 3.0, cache="miss", error_type="timeout")
    stage.facts()
    data = stage.exported.get_metrics_data()
    scopes = [scope for group in data.resource_metrics for scope in group.scope_metrics]
    points = {metric.name: metric.data.data_points for scope in scopes for metric in scope.metrics}
    (operation,) = points["mcp.server.operation.duration"]
    assert operation.count == stage.facts()["since_start"]["count"]
    assert stage.summary.facts()["libraries_io_calls"]["/search"]["since_start"]["success_rate"] == 0


def test_memory_is_bounded_by_what_the_server_has():
    stage = Stage()
    for _ in range(100):
        stage.call(0.1)
        stage.pass_minutes(1)
    assert len(stage.summary._slices) == 20


def test_without_telemetry_it_is_empty():
    found = Summary(Recent(NoOpMeterProvider()).collect, monotonic=lambda: 0.0).facts()
    assert (found["operations"], found["libraries_io_calls"]) == ({}, {})
