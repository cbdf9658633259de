"""What is made of what the alerting service says of itself."""

import pytest

from libraries_io_mcp.health.check import Status
from libraries_io_mcp.health.checks.alerts import AlertingFacts, alerting

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("facts", "status", "error"),
    [
        (AlertingFacts("off"), "healthy", None),
        (AlertingFacts("prometheus"), "healthy", None),
        (AlertingFacts("in_process"), "unknown", "not evaluated yet"),
        (AlertingFacts("in_process", last_evaluation_age=16.0), "healthy", None),
        (AlertingFacts("in_process", last_evaluation_age=61.0), "unhealthy", "61 s ago"),
        (AlertingFacts("prometheus", last_evaluation_age=1000.0), "healthy", None),
        (AlertingFacts("prometheus", problems=("a.yml: bad", "b")), "degraded", "2 problems with the rules"),
        (
            AlertingFacts("prometheus", problems=("a.yml: bad",), undelivered=3, delivery_error="refused"),
            "degraded",
            "1 problems with the rules; the first: a.yml: bad. 3 messages about alerts are not delivered: refused.",
        ),
        (AlertingFacts("prometheus", undelivered=3), "healthy", None),
        (AlertingFacts("prometheus", undelivered=3, delivery_error="refused"), "degraded", "3 messages"),
        (AlertingFacts("prometheus", delivery_error="refused", nobody_told=True), "unhealthy", "Nobody is told"),
        (
            AlertingFacts("in_process", failed_parts=("evaluating failed 3 s ago (X)",)),
            "unhealthy",
            "evaluating failed",
        ),
    ],
)
async def test_the_verdict(facts: AlertingFacts, status: Status, error: str | None):
    found = await alerting(lambda: facts)()
    assert found.status == status
    assert (error or "") in (found.error or "")
    assert found.details["evaluated_by"] == facts.evaluated_by
