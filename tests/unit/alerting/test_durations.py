"""Prometheus' durations."""

import pytest

from libraries_io_mcp.alerting.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("15s", 15),
        ("1h30m", 5400),
        ("1d", 86_400),
        ("2w", 1_209_600),
        ("1y", 31_536_000),
        ("500ms", 0.5),
        ("1m0s100ms", 60.1),
        ("1y2w3d4h5m6s7ms", 33_019_506.007),
    ],
)
def test_a_duration_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "-5m", "5 m", "1.5h", "30m1h", "1h1h", "5min", "m", "5M", "٣s", "5m\n"])
def test_what_prometheus_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


def test_longer_than_prometheus_can_count() -> None:
    assert parse_duration("292y") == 292 * 31_536_000
    with pytest.raises(ValueError, match="longer than 292 years"):
        parse_duration("293y")
