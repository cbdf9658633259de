"""The whole out of its parts: one status, the score, and whether requests should come here."""

from itertools import product

import pytest

from libraries_io_mcp.health.check import STATUS_VALUE, Outcome, Status
from libraries_io_mcp.health.report import Finding, Report, score


def report(critical: Status, *others: Status, looked_at: bool = True) -> Report:
    names = ("cache_performance", "storage_connectivity", "alerting", "telemetry_export")
    at = 1.0 if looked_at else None
    findings = (
        Finding("api_connectivity", True, Outcome(critical), checked_at=at),
        *(Finding(name, False, Outcome(status), checked_at=at) for name, status in zip(names, others, strict=False)),
    )
    return Report(findings, {"version": "1"})


@pytest.mark.parametrize(
    ("critical", "others", "whole"),
    [
        ("healthy", ("healthy",), "healthy"),
        ("healthy", ("unknown",), "healthy"),
        ("healthy", ("degraded",), "degraded"),
        ("healthy", ("unhealthy",), "degraded"),
        ("degraded", ("healthy",), "degraded"),
        ("unhealthy", ("healthy",), "unhealthy"),
        ("unhealthy", ("unknown",), "unhealthy"),
        ("unknown", ("healthy",), "unknown"),
        ("unknown", ("degraded",), "degraded"),
        ("unknown", ("unknown",), "unknown"),
    ],
)
def test_the_whole(critical: Status, others: tuple[Status, ...], whole: Status):
    assert report(critical, *others).status == whole


def test_ready_means_that_nothing_critical_is_unhealthy():
    for critical, other in product(STATUS_VALUE, STATUS_VALUE):
        assert report(critical, other).ready == (critical != "unhealthy")


def test_not_ready_before_what_is_critical_was_looked_at():
    assert not report("unknown", "unknown", looked_at=False).ready


def test_the_score_leaves_out_what_is_unknown():
    assert score(["healthy", "degraded", "unhealthy"]) == 50
    assert score(["healthy", "healthy", "unhealthy"]) == 66.7
    assert score(["healthy", "unknown"]) == 100
    assert score(["unhealthy"]) == 0
    assert score(["unknown"]) is None
    assert score([]) is None


def test_every_form_says_the_same():
    found = report("unhealthy", "degraded", "unknown", "healthy")
    values, points = found.values()
    facts = found.facts()
    assert points == facts["score"] == 50
    assert {name: STATUS_VALUE[check["status"]] for name, check in facts["checks"].items()} == values
    assert found.counts() == {"healthy": 1, "degraded": 1, "unhealthy": 1, "unknown": 1}
    assert facts["version"] == "1"
    assert facts["checks"]["api_connectivity"]["critical"] is True
