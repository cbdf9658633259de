"""Tools about this server itself. None of them asks Libraries.io."""

from typing import Annotated, Literal

from mcp_types import ToolAnnotations
from pydantic import Field

from libraries_io_mcp.answer import Answer, Tools
from libraries_io_mcp.librariesio.client import LibrariesIOClient

GUIDE = "This server: get_quota_status, before a series of calls."


class QuotaAnswer(Answer):
    """The request budget as this server sees it."""

    limit: int
    remaining: int
    window_seconds: Annotated[int, Field(description="Windows are aligned to the clock.")]
    resets_in_seconds: float
    waiting: Annotated[int, Field(description="Calls waiting.")]
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
    """How many Libraries.io requests are left and when the budget renews. Costs no request.

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


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add(
        "Quota status",
        get_quota_status,
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )
