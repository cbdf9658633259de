"""Which request a fault strikes, and how a fault is written."""

import pytest

from libraries_io_mcp.sandbox.fault_actions import ACTIONS
from libraries_io_mcp.sandbox.faults import FAULT_NAMES, Fault, Switchboard, make_fault, parse_fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("timeout", Fault("timeout")),
        ("null:path=/api/npm/*:rate=0.5", Fault("null", "/api/npm/*", 0.5)),
        ("reset:count=3:path=/api/maven/junit:junit", Fault("reset", "/api/maven/junit:junit", count=3)),
        ("bad_gateway_slow:delay=0.2", Fault("bad_gateway_slow", delay=0.2)),
        ("huge:size=1000", Fault("huge", size=1000)),
    ],
)
def test_parse(text: str, fault: Fault):
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("explode", "unknown fault 'explode'"),
        ("timeout:rate=2", "rate of timeout is 2.0"),
        ("timeout:rate=nan", "rate of timeout is nan"),
        ("timeout:count=0", "count and size"),
        ("timeout:delay=inf", "delay 0 or more"),
        ("timeout:count=many", "count=many of fault timeout is not a number"),
    ],
)
def test_faults_that_make_no_sense(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        parse_fault(text)


@pytest.mark.parametrize("values", [{"name": "null", "colour": "red"}, {"path": "*"}])
def test_unknown_attributes(values: dict[str, object]):
    with pytest.raises(ValueError, match="a fault has name"):
        make_fault(values)


def test_every_fault_has_an_action():
    assert set(ACTIONS) == set(FAULT_NAMES)


def test_rate_and_count():
    switchboard = Switchboard([Fault("null", rate=0.25, count=2)])
    struck = [switchboard.choose("/api/npm/axios") is not None for _ in range(16)]
    assert struck == [*[False, False, False, True] * 2, *[False] * 8]


def test_paths_and_order():
    switchboard = Switchboard([Fault("null", "/api/npm/*"), Fault("html")])
    assert switchboard.choose("/api/npm/axios") == Fault("null", "/api/npm/*")
    assert switchboard.choose("/api/pypi/httpx") == Fault("html")
    switchboard.clear()
    assert switchboard.choose("/api/npm/axios") is None
