"""Tools about this server itself. None of them asks Libraries.io."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from mcp_types import ToolAnnotations
from pydantic import Field

from libraries_io_mcp.answer import Answer, Tools
from libraries_io_mcp.answer.model import lines
from libraries_io_mcp.librariesio.client import LibrariesIOClient

GUIDE = "This server: get_quota_status, before a series of calls; get_server_health, when calls fail."


class QuotaAnswer(Answer):
    """The request budget as this server sees it."""

    limit: int
    remaining: int
    window_seconds: int
    resets_in_seconds: float
    waiting: int
    """Calls that wait for their turn."""
    key_present: bool
    known_from: Annotated[
        Literal["configuration", "service"], Field(description="service: Libraries.io has confirmed it.")
    ]

    def text(self) -> str:
        """Two short sentences."""
        sure = "confirmed by Libraries.io" if self.known_from == "service" else "configured, not yet confirmed"
        key = "" if self.key_present else " No API key is set."
        return (
            f"{self.remaining} of {self.limit} requests left ({sure}); the next window begins in "
            f"{self.resets_in_seconds:.0f} s. {self.waiting} calls are waiting.{key}"
        )


async def get_quota_status(client: LibrariesIOClient) -> QuotaAnswer:
    """How many requests are left and when the budget renews. Costs none.

    Ask before a series of calls. When `remaining` is small, prefer questions that one request can answer.
    """
    quota = client.quota()
    return QuotaAnswer(
        limit=quota.limit,
        remaining=quota.remaining,
        window_seconds=quota.window_seconds,
        resets_in_seconds=round(quota.resets_in_seconds, 1),
        waiting=quota.waiting,
        key_present=quota.key_present,
        known_from=quota.known_from,
    )


class HealthAnswer(Answer):
    """What the health checks found last."""

    status: str
    score: float | None
    """From 0 to 100."""
    checks: dict[str, Any]

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Self:
        """The report, in which what is well takes few words."""
        checks = {
            name: {"status": "healthy", "age_seconds": found["age_seconds"]}
            if found["status"] == "healthy"
            else dict(found)
            for name, found in report["checks"].items()
        }
        return cls(status=report["status"], score=report["score"], checks=checks)

    def text(self) -> str:
        """A line for the whole, and one for each check that is not well."""
        unknown = [name for name, found in self.checks.items() if found["status"] == "unknown"]
        score = "unknown" if self.score is None else f"{self.score:g} of 100"
        if unknown and self.score is not None:
            score += f" without what is unknown ({', '.join(unknown)})"
        wrong: Iterable[str] = (
            f"- {name} is {found['status']}{_looked(found)}: {found['error']} {found['what_to_do'] or ''}".rstrip()
            for name, found in self.checks.items()
            if found["status"] != "healthy"
        )
        well = [f"{name}{_looked(found)}" for name, found in self.checks.items() if found["status"] == "healthy"]
        return lines(
            f"This server's status is {self.status}, score {score}.",
            then=(*wrong, *([f"Healthy: {', '.join(well)}."] if well else ())),
        )


def _looked(found: Mapping[str, Any]) -> str:
    """How old a finding is: the checks look every now and then, and a call since has not changed what they found."""
    age = found["age_seconds"]
    return "" if age is None else f" (looked at {age:.0f} s ago)"


def register(tools: Tools) -> None:
    """Add the tools of this domain."""

    async def get_server_health() -> HealthAnswer:
        """How this server and its way to Libraries.io were when last looked at: status, error and what_to_do. Free."""
        return HealthAnswer.of(tools.health())

    tools.add(
        "Server health",
        get_server_health,
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )
    tools.add(
        "Quota status",
        get_quota_status,
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )
