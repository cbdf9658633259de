"""Metric points under one name for a series, wherever they are: as they were sent, in Prometheus and in InfluxDB."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tests.e2e.scenario import Documented
from tests.servers.influxdb import InfluxDB
from tests.servers.prometheus import Prometheus

from libraries_io_mcp.demo.otlp_model import MetricPoint

Series = tuple[str, frozenset[tuple[str, str]]]
"""The documented name in Prometheus, `_count` and `_sum` of a histogram apart, and the point's own labels."""
Points = dict[Series, dict[int, float]]
"""The value of each series by time in milliseconds."""

PROMOTED: Final = {"service_name", "service_version", "service_instance_id", "deployment_environment_name"}
"""Labels that `otel/prometheus.yml` takes from the resource."""
_SUFFIXES: Final = {"count": "_count", "sum": "_sum", "counter": "", "gauge": ""}
_OF_INFLUXDB: Final = {"", "result", "table", "ms", "_start", "_stop", "_time", "_value", "_field", "_measurement"} | {
    *("slot", "service.name", "service.version", "deployment.environment.name"),
    *("otel.library.name", "otel.library.version"),
}
"""Columns of its own, and the tags that every series has."""


def sent(points: Iterable[MetricPoint], documented: Mapping[str, Documented]) -> Points:
    """What left the product."""
    found: Points = defaultdict(dict)
    for point in points:
        name, labels = documented[point.name].name, _labels(point.attributes)
        at = point.time_ns // 1_000_000
        if point.value is None:
            found[f"{name}_count", labels][at] = float(point.count)
            found[f"{name}_sum", labels][at] = point.sum
        else:
            found[name, labels][at] = point.value
    return dict(found)


def in_prometheus(prometheus: Prometheus, environment: str) -> Points:
    """What Prometheus has of one server; buckets left out, and what the Collector counts of its spans."""
    chosen = f'deployment_environment_name="{environment}",__name__!~"target_info|traces_span_metrics_.+|.+_bucket"'
    found: Points = {}
    for labels, values in prometheus.samples(f"{{{chosen}}}[6h]"):
        own = {name: value for name, value in labels.items() if name not in PROMOTED | {"__name__", "job", "instance"}}
        found[labels["__name__"], frozenset(own.items())] = values
    return found


def in_influxdb(influxdb: InfluxDB, environment: str, documented: Mapping[str, Documented]) -> Points:
    """What InfluxDB has of one server; smallest, largest and buckets left out."""
    rows = influxdb.flux(f"""
        from(bucket: "metrics") |> range(start: -6h)
        |> filter(fn: (r) => r["deployment.environment.name"] == "{environment}")
        |> filter(fn: (r) => contains(value: r._field, set: ["count", "sum", "counter", "gauge"]))
        |> map(fn: (r) => ({{r with ms: int(v: r._time) / 1000000}}))
    """)
    found: Points = defaultdict(dict)
    for row in rows:
        own = {name: value for name, value in row.items() if value and name not in _OF_INFLUXDB}
        name = documented[row["_measurement"]].name + _SUFFIXES[row["_field"]]
        found[name, _labels(own)][int(row["ms"])] = float(row["_value"])
    return dict(found)


def _labels(attributes: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset((name.replace(".", "_"), str(value)) for name, value in attributes.items())


def missing(expected: Points, found: Points) -> dict[Series, int]:
    """How many points of each series are not there, or are there with another value."""
    lost = {
        series: sum(found.get(series, {}).get(at) != value for at, value in values.items())
        for series, values in expected.items()
    }
    return {series: count for series, count in lost.items() if count}
