"""Resources in which the server reports about itself; the facts are handed in."""

import json
from collections.abc import Callable
from typing import Any, Final

from fastmcp import FastMCP

URI: Final = "metrics://summary"


def register_reports(server: FastMCP, facts: Callable[[], dict[str, Any]]) -> None:
    """Add the resource; `facts` gives its content."""

    @server.resource(
        URI,
        name=URI,
        title="Metrics summary",
        description="Count, success rate and duration of every operation: over the last 5 minutes and since the start.",
        mime_type="application/json",
    )
    def summary() -> str:
        return json.dumps(facts(), separators=(",", ":"))
