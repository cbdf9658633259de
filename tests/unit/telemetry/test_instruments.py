"""Every metric of semconv has its instrument, and each record method says no more than its metric declares."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.metrics import NoOpMeter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    Gauge,
    Histogram,
    InMemoryMetricReader,
    Metric,
    Sum,
)

from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.instruments import Instruments

ROOT = Path(__file__).parents[3]
KINDS = {"counter": Sum, "up_down_counter": Sum, "gauge": Gauge, "histogram": Histogram}


def record_everything(instruments: Instruments) -> None:
    instruments.operation(0.1, {"mcp.method.name": "tools/call"})
    instruments.session(60.0, {"network.transport": "pipe"})
    instruments.http_begins("GET", "http")
    instruments.http_begins("POST", "http")
    instruments.http_ended(0.1, {"http.request.method": "POST", "url.scheme": "http", "http.route": "/mcp"})
    instruments.call("/search", 0.1, cache="miss", error_type=None)
    instruments.call("/search", 0.1, cache="hit", error_type="timeout")
    instruments.retry("/search", "timeout")
    instruments.quota_wait("/search", 0.0)
    instruments.cache_lookup("/search", "hit")
    instruments.http_refused("malformed")
    instruments.reply_deviation("/search", "keywords", 2)
    instruments.log_dropped("console")
    instruments.work("startup", 0.1, None)
    instruments.telemetry_dropped("traces", 7)
    instruments.alert_delivery("webhook", "done")
    instruments.alert_evaluation(0.001, failed=False)
    instruments.watch_alerts(lambda: {("critical", "firing"): 1}, lambda: True)
    instruments.watch_health(lambda: ({"alerting": 1.0}, 100.0))
    instruments.watch_operations(lambda: 2)
    instruments.watch_quota(lambda: (60, 59, 1))
    instruments.watch_cache(lambda: (3, 1000))
    instruments.watch_http_limits(lambda: {"calls": (1, 256)})
    instruments.watch_breakers(lambda: {"search": "half_open"})


@pytest.fixture
def recorded() -> Iterator[dict[str, Metric]]:
    """What a reader collects when every method has been called once, by name."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    record_everything(Instruments(provider.get_meter(semconv.SCOPE_NAME)))
    data = reader.get_metrics_data()
    yield {
        metric.name: metric
        for group in data.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
    }
    provider.shutdown()


def test_every_metric_has_an_instrument_and_the_other_way_round(recorded: dict[str, Metric]):
    assert sorted(recorded) == sorted(metric.name for metric in semconv.METRICS)


@pytest.mark.parametrize("metric", semconv.METRICS, ids=lambda metric: metric.name)
def test_an_instrument_is_as_declared(metric: semconv.Metric, recorded: dict[str, Metric]):
    found: Any = recorded[metric.name]
    assert isinstance(found.data, KINDS[metric.kind])
    assert (found.unit, found.description) == (metric.unit, metric.description)
    for point in found.data.data_points:
        assert set(point.attributes) <= set(metric.attributes)
        if metric.kind == "histogram":
            assert tuple(point.explicit_bounds) == metric.buckets


@pytest.mark.parametrize("metric", semconv.METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_well_formed(metric: semconv.Metric):
    assert metric.name.startswith(("mcp.server.", "http.server.", "libraries_io.", "health.", "alerting."))
    assert metric.description.endswith(".")
    assert metric.unit in {"s", "By", "1"} or metric.unit.startswith("{")
    assert (metric.kind == "histogram") == bool(metric.buckets)
    assert list(metric.buckets) == sorted(set(metric.buckets))
    never = {semconv.Attribute.MCP_SESSION_ID, semconv.Attribute.JSONRPC_REQUEST_ID, semconv.Attribute.PACKAGE}
    assert not never & set(metric.attributes)


def test_names_are_spelled_once():
    names = [metric.name for metric in semconv.METRICS]
    assert len(set(names)) == len(names)


def test_the_breaker_is_a_number(recorded: dict[str, Any]):
    (point,) = recorded["libraries_io.breaker.open"].data.data_points
    assert point.value == 0.5


def test_an_error_nobody_declared_is_other():
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    instruments = Instruments(provider.get_meter(semconv.SCOPE_NAME))
    instruments.retry("/search", "made up by a caller")
    instruments.call("/search", 0.1, cache="miss", error_type="made up by a caller")
    assert "made up" not in str(reader.get_metrics_data())
    assert '"error.type": "other"' in reader.get_metrics_data().to_json()
    provider.shutdown()


def test_a_state_is_read_at_each_collection():
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    left = [60]
    Instruments(provider.get_meter(semconv.SCOPE_NAME)).watch_quota(lambda: (60, left[0], 0))
    assert points(reader, semconv.QUOTA_REMAINING) == [60]
    left[0] = 41
    assert points(reader, semconv.QUOTA_REMAINING) == [41]
    assert points(reader, semconv.QUOTA_REMAINING) == [41]
    provider.shutdown()


def points(reader: InMemoryMetricReader, metric: semconv.Metric) -> list[float]:
    """The values of one metric now."""
    data = reader.get_metrics_data()
    scopes = [scope for group in data.resource_metrics for scope in group.scope_metrics]
    found = [found for scope in scopes for found in scope.metrics if found.name == metric.name]
    return [point.value for one in found for point in one.data.data_points]


def test_without_telemetry_the_methods_do_nothing():
    record_everything(Instruments(NoOpMeter("test")))


def test_the_documents_are_true():
    """docs/telemetry.md, docs/configuration.md and .env.example say what the code says."""
    command = [sys.executable, "scripts/write_docs.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_signal_has_a_row_in_the_documents():
    text = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
    for metric in (*semconv.METRICS, *semconv.FOREIGN_METRICS):
        assert f"| `{metric.name}` | {metric.kind} |" in text
    for name in (*semconv.Event, *semconv.Attribute):
        assert f"`{name}`" in text
    for span in semconv.SPANS:
        assert span.name.replace("|", "or") in text
