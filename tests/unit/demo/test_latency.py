"""Percentiles are interpolated within buckets and never leave what was measured."""

from dataclasses import replace

import pytest
from tests.unit.demo.recorded import POINT
from tests.unit.demo.test_trace_view import printed

from libraries_io_mcp.demo.latency import latency_table, percentile


@pytest.mark.parametrize(
    ("buckets", "least", "greatest", "part", "value"),
    [
        ((0, 0, 1, 0), 3.0, 3.0, 0.5, 3.0),
        ((10, 10, 0, 0), 0.0, 2.0, 0.5, 1.0),
        ((10, 10, 0, 0), 0.0, 2.0, 0.95, 1.9),
        ((10, 0, 0, 10), 0.5, 9.0, 0.95, 8.6),
        ((0, 0, 0, 1), 7.0, 7.0, 0.5, 7.0),
        ((2, 0, 0, 0), 0.8, 0.9, 0.5, 0.8),
    ],
)
def test_percentiles(buckets, least, greatest, part, value):
    point = replace(POINT, buckets=buckets, count=sum(buckets), min=least, max=greatest)
    assert percentile(point, part) == pytest.approx(value)


def test_without_least_and_greatest_the_bounds_serve():
    point = replace(POINT, buckets=(1, 0, 0, 1), count=2, min=None, max=None)
    assert percentile(point, 0.5) == 1.0
    assert percentile(point, 0.95) == 5.0


def test_the_table_has_a_line_a_series():
    failed = replace(POINT, attributes=POINT.attributes | {"error.type": "tool_error"}, exemplars=(), max=None)
    header, first, second = printed(latency_table([POINT, failed])).splitlines()
    assert header.split() == ["tool", "outcome", "calls", "mean", "p50", "~", "p95", "~", "slowest", "exemplar"]
    for line, words in ((first, ["tool_error", "none"]), (second, ["ok", "trace", "5f3a5f3a"])):
        assert line.startswith("get_package_info")
        assert set(words) <= set(line.split())
