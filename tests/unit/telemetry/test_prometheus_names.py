"""Names as Prometheus' OTLP receiver makes them; the real one is asked in tests/e2e/test_sample_names.py."""

import pytest

from libraries_io_mcp.telemetry.prometheus_names import Kind, label_name, label_value, metric_name, number


@pytest.mark.parametrize(
    ("name", "unit", "kind", "expected"),
    [
        ("mcp.server.operation.duration", "s", "histogram", "mcp_server_operation_duration_seconds"),
        ("libraries_io.retries", "{retry}", "counter", "libraries_io_retries_total"),
        ("libraries_io.cache.size", "By", "gauge", "libraries_io_cache_size_bytes"),
        ("libraries_io.breaker.open", "{state}", "gauge", "libraries_io_breaker_open"),
        ("process.cpu.time", "s", "counter", "process_cpu_time_seconds_total"),
        ("process.memory.usage", "By", "up_down_counter", "process_memory_usage_bytes"),
        ("share", "1", "gauge", "share_ratio"),
        ("share.ratio.used", "1", "gauge", "share_used_ratio"),
        ("calls", "1", "counter", "calls_total"),
        ("total.calls", "", "counter", "calls_total"),
        ("duration.seconds", "s", "histogram", "duration_seconds"),
        ("speed", "By/s", "gauge", "speed_bytes_per_second"),
        ("rate", "{request}/s", "gauge", "rate_per_second"),
        ("temperature", "Cel", "gauge", "temperature_celsius"),
        ("strange", "foo-bar", "gauge", "strange_foo_bar"),
        ("a..b--c", "", "gauge", "a_b_c"),
        ("5xx", "", "gauge", "_5xx"),
    ],
)
def test_a_metric(name: str, unit: str, kind: Kind, expected: str) -> None:
    assert metric_name(name, unit, kind) == expected


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("http.request.method", "http_request_method"),
        ("a..b", "a__b"),
        ("1st", "key_1st"),
        ("_private", "key_private"),
        ("__reserved__", "__reserved__"),
        ("größe", "gr__e"),
    ],
)
def test_a_label(attribute: str, expected: str) -> None:
    assert label_name(attribute) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("text", "text"), (200, "200"), (True, "true"), (0.5, "0.5"), (3.0, "3"), (("a", "b"), '["a","b"]')],
)
def test_a_value(value: object, expected: str) -> None:
    assert label_value(value) == expected


@pytest.mark.parametrize(
    ("bound", "expected"), [(0.005, "0.005"), (5.0, "5"), (300.0, "300"), (1e-7, "0.0000001"), (1e22, "1" + "0" * 22)]
)
def test_the_bound_of_a_bucket(bound: float, expected: str) -> None:
    assert number(bound) == expected
