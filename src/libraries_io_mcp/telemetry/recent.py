"""Reads the histograms of this process as they grow, for the summary: one more reader beside the exporters'."""

from typing import Any

from opentelemetry.metrics import MeterProvider as MeterProviderAPI
from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    MeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality, HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import DropAggregation

from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.distribution import Distribution
from libraries_io_mcp.telemetry.semconv import Attribute
from libraries_io_mcp.telemetry.summary import Operations

_UNREAD = (Counter, UpDownCounter, ObservableCounter, ObservableGauge, ObservableUpDownCounter)


class Recent:
    """Gives what was measured since it was asked last. Without a real provider it gives nothing."""

    def __init__(self, provider: MeterProviderAPI) -> None:
        self._reader = InMemoryMetricReader(
            preferred_temporality={Histogram: AggregationTemporality.DELTA},
            preferred_aggregation={kind: DropAggregation() for kind in _UNREAD},
        )
        self._attached = isinstance(provider, MeterProvider)
        if isinstance(provider, MeterProvider):
            provider.add_metric_reader(self._reader)

    def collect(self) -> Operations:
        """By kind and name: MCP operations and calls on Libraries.io."""
        data = self._reader.get_metrics_data() if self._attached else None
        found: dict[tuple[str, str], Distribution] = {}
        for group in data.resource_metrics if data else ():
            for metric in (metric for scope in group.scope_metrics for metric in scope.metrics):
                for point in metric.data.data_points:
                    key = _key(metric.name, dict(point.attributes or {}))
                    if key is not None and isinstance(point, HistogramDataPoint) and point.count:
                        distribution = _distribution(point)
                        found[key] = found[key].plus(distribution) if key in found else distribution
        return found


def _key(metric: str, attributes: dict[str, Any]) -> tuple[str, str] | None:
    if metric == semconv.CALL_DURATION.name:
        return "libraries_io_calls", str(attributes.get(Attribute.ENDPOINT, semconv.OTHER))
    if metric == semconv.OPERATION_DURATION.name:
        target = attributes.get(Attribute.TOOL_NAME) or attributes.get(Attribute.PROMPT_NAME)
        method = str(attributes.get(Attribute.MCP_METHOD, semconv.UNKNOWN_COMPONENT))
        return "operations", f"{method} {target}" if target else method
    return None


def _distribution(point: HistogramDataPoint) -> Distribution:
    failed = Attribute.ERROR_TYPE in (point.attributes or {})
    return Distribution(
        tuple(point.explicit_bounds),
        tuple(point.bucket_counts),
        point.sum,
        point.min,
        point.max,
        point.count if failed else 0,
    )
