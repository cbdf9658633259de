"""Resources in which the server reports about itself; the facts are handed in."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, get_args

from anyio import to_thread
from fastmcp import FastMCP

from libraries_io_mcp.telemetry.semconv import AlertSeverity

URI: Final = "metrics://summary"
HEALTH_URI: Final = "health://report"
ALERTS_URI: Final = "alerts://active"
ALERT_HISTORY_URI: Final = "alerts://history"


class Alerts(Protocol):
    """Where alerts are asked for. The calls may block for seconds: make them in a thread."""

    def facts(self) -> dict[str, Any]:
        """`{evaluated_by, since, summary, active, problems}`."""

    def history_facts(self) -> dict[str, Any]:
        """`{events, kept, dropped}`, newest first."""

    def latest_facts(self) -> dict[str, Any]:
        """The same as `facts`, as far as it is known; never blocks."""

    def latest_history_facts(self) -> dict[str, Any]:
        """The same as `history_facts`, as far as it is known; never blocks."""

    def resolve(self, fingerprint: str) -> bool:
        """A person says that an alert is over; false when no such alert fires."""


@dataclass(frozen=True, slots=True)
class NoAlerts:
    """Nobody evaluates rules; `problem` says why, unless that is wanted."""

    problem: str | None = None

    def facts(self) -> dict[str, Any]:
        """No alerts."""
        return {
            "evaluated_by": "off",
            "since": None,
            "summary": dict.fromkeys(get_args(AlertSeverity), 0),
            "active": [],
            "problems": [self.problem] if self.problem else [],
        }

    def history_facts(self) -> dict[str, Any]:
        """No history."""
        return {"events": [], "kept": 0, "dropped": 0}

    latest_facts, latest_history_facts = facts, history_facts

    def resolve(self, _fingerprint: str) -> bool:
        """There is none."""
        return False


def register_reports(
    server: FastMCP, facts: Callable[[], dict[str, Any]], *, health: Callable[[], dict[str, Any]], alerts: Alerts
) -> None:
    """Add the resources; `facts`, `health` and `alerts` give their content."""

    @server.resource(
        ALERTS_URI,
        name=ALERTS_URI,
        title="Active alerts",
        description="Alerts of this server that fire or are about to, worst first, how many by severity, and who "
        "evaluates the rules.",
        mime_type="application/json",
    )
    async def active() -> str:
        return json.dumps(await to_thread.run_sync(alerts.facts), separators=(",", ":"))

    @server.resource(
        ALERT_HISTORY_URI,
        name=ALERT_HISTORY_URI,
        title="History of alerts",
        description="What the alerts of this server did of late, newest first; and how much is not kept any more.",
        mime_type="application/json",
    )
    async def history() -> str:
        return json.dumps(await to_thread.run_sync(alerts.history_facts), separators=(",", ":"))

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
