"""This process's metrics as Prometheus would store them, had they come to it by OTLP: one more reader.

Names, labels and buckets are those of Prometheus' OTLP receiver with `otel/prometheus.yml`, so that one rule file
serves both. Left out: `target_info`, exemplars, start times, and durations recorded before this reader was added.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, Final

from opentelemetry.metrics import MeterProvider as MeterProviderAPI
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    Gauge,
    Histogram,
    HistogramDataPoint,
    InMemoryMetricReader,
    Metric,
    MetricsData,
    Sum,
)

from libraries_io_mcp.telemetry.prometheus_names import Kind, label_name, label_value, metric_name, number
from libraries_io_mcp.telemetry.redaction import Redactor

PROMOTED: Final = (
    "service.name",
    "service.namespace",
    "service.version",
    "service.instance.id",
    "deployment.environment.name",
)
"""Resource attributes that become labels: `promote_resource_attributes` in `otel/prometheus.yml`."""

Labels = Mapping[str, str]
Reading = tuple[Labels, float]


class ProcessSamples:
    """Gives every series of this process with its value now. Without a real provider it gives none."""

    def __init__(self, provider: MeterProviderAPI, redactor: Redactor) -> None:
        # Cumulative for every kind, which is this reader's own default, whatever the exporters are told.
        self._reader = InMemoryMetricReader()
        self._redactor = redactor
        self._shared: Labels | None = None
        # One entry for each point that the SDK keeps, which has a limit of its own.
        self._known: dict[Any, tuple[Labels, ...]] = {}
        self._attached = isinstance(provider, MeterProvider)
        if isinstance(provider, MeterProvider):
            provider.add_metric_reader(self._reader)

    def read(self) -> list[Reading]:
        """Labels (with `__name__`) and value of every series; the same object for the same labels each time.

        Runs the callbacks of observable instruments. Call it from one thread at a time.
        """
        data = self._reader.get_metrics_data() if self._attached else None
        return list(self._readings(data)) if data else []

    def _readings(self, data: MetricsData) -> Iterator[Reading]:
        for group in data.resource_metrics:
            if self._shared is None:
                self._shared = _resource_labels(self._redactor.attributes(group.resource.attributes))
            for scope in group.scope_metrics:
                for metric in scope.metrics:
                    kind = _kind(metric)
                    if kind is None:
                        continue
                    for point in metric.data.data_points:
                        yield from zip(self._labels(metric, kind, point, self._shared), _values(point), strict=True)

    def _labels(self, metric: Metric, kind: Kind, point: Any, shared: Labels) -> tuple[Labels, ...]:
        key = (metric.name, metric.unit, kind, frozenset(point.attributes.items()))
        known = self._known.get(key)
        if known is None:
            name = metric_name(metric.name, metric.unit or "", kind)
            own = _point_labels(self._redactor.attributes(point.attributes), shared)
            known = self._known[key] = tuple(_series(name, own, point))
        return known


def _kind(metric: Metric) -> Kind | None:
    match metric.data:
        case Sum(is_monotonic=monotonic):
            return "counter" if monotonic else "up_down_counter"
        case Gauge():
            return "gauge"
        case Histogram():
            return "histogram"
    # Exponential histograms are for `native` histograms, which no rule of ours can ask for.
    return None


def _series(name: str, labels: Labels, point: Any) -> Iterator[Labels]:
    """The label sets of a point, in the order of `_values`."""
    if not isinstance(point, HistogramDataPoint):
        yield {"__name__": name, **labels}
        return
    yield {"__name__": f"{name}_count", **labels}
    yield {"__name__": f"{name}_sum", **labels}
    for bound in point.explicit_bounds:
        yield {"__name__": f"{name}_bucket", **labels, "le": number(bound)}
    yield {"__name__": f"{name}_bucket", **labels, "le": "+Inf"}


def _values(point: Any) -> tuple[float, ...]:
    if not isinstance(point, HistogramDataPoint):
        return (float(point.value),)
    # The last bucket has no bound: it holds all.
    return (float(point.count), float(point.sum), *map(float, accumulate(point.bucket_counts)))


def _resource_labels(attributes: Mapping[str, Any]) -> Labels:
    promoted = {name: attributes[name] for name in PROMOTED if name in attributes}
    labels = _sanitized(promoted)
    if "service.name" in attributes:
        namespace = label_value(attributes.get("service.namespace", ""))
        service = label_value(attributes["service.name"])
        labels["job"] = f"{namespace}/{service}" if "service.namespace" in attributes else service
    if "service.instance.id" in attributes:
        labels["instance"] = label_value(attributes["service.instance.id"])
    return labels


def _point_labels(attributes: Mapping[str, Any], shared: Labels) -> Labels:
    own = {name: value for name, value in _sanitized(attributes).items() if value}
    # A point's own attribute wins over the resource's, except for `job` and `instance`.
    labels = {**shared, **own, **{name: shared[name] for name in ("job", "instance") if name in shared}}
    return {name: value for name, value in labels.items() if value}


def _sanitized(attributes: Mapping[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for attribute in sorted(attributes):
        name, value = label_name(attribute), label_value(attributes[attribute])
        labels[name] = f"{labels[name]};{value}" if labels.get(name) else value
    return labels
