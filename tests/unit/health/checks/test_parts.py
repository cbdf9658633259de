"""What is made of what the supervisor says."""

import pytest

from libraries_io_mcp.health.checks.parts import background_tasks

pytestmark = pytest.mark.anyio


async def test_a_part_that_ended_is_unhealthy_until_it_has_run_for_a_while():
    problems = ["gathering the summary failed 3 s ago (ValueError)"]
    found = await background_tasks(lambda: problems)()
    assert (found.status, found.details) == ("unhealthy", {"failed": problems})
    assert str(found.error) == "A part of the server ended: gathering the summary failed 3 s ago (ValueError)."
    assert (await background_tasks(tuple)()).status == "healthy"
