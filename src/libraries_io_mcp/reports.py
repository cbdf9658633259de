"""Resources in which the server reports about itself; the facts are handed in."""

import json
from collections.abc import Callable
from typing import Any, Final

from fastmcp import FastMCP

URI: Final = "metrics://summary"
HEALTH_URI: Final = "health://report"


def register_reports(
    server: FastMCP, facts: Callable[[], dict[str, Any]], *, health: Callable[[], dict[str, Any]]
) -> None:
    """Add the resources; `facts` and `health` give their content."""

    @server.resource(
        HEALTH_URI,
        name=HEALTH_URI,
        title="Health report",
        description="Every health check with its status, error, details and what to do; and the score.",
        mime_type="application/json",
    )
    def report() -> str:
        return json.dumps(health(), separators=(",", ":"))

    @server.resource(
        URI,
        name=URI,
        title="Metrics summary",
        description="Count, success rate and duration of every operation: over the last 5 minutes and since the start.",
        mime_type="application/json",
    )
    def summary() -> str:
        return json.dumps(facts(), separators=(",", ":"))
