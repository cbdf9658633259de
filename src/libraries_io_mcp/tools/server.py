"""Tools about this server itself. None of them asks Libraries.io."""

from typing import Annotated, Literal

from fastmcp import FastMCP
from mcp_types import ToolAnnotations
from pydantic import Field

from libraries_io_mcp.answer import Answer, answers
from libraries_io_mcp.librariesio.client import LibrariesIOClient


class QuotaAnswer(Answer):
    """The request budget as this server sees it."""

    limit: Annotated[int, Field(description="Requests that one window allows.")]
    remaining: Annotated[int, Field(description="Requests left in this window.")]
    window_seconds: Annotated[int, Field(description="Length of a window; windows are aligned to the clock.")]
    resets_in_seconds: Annotated[float, Field(description="Seconds until the next window begins.")]
    waiting: Annotated[int, Field(description="Calls that wait for their turn right now.")]
    key_present: Annotated[bool, Field(description="Whether an API key is set.")]
    known_from: Annotated[
        Literal["configuration", "service"],
        Field(description="Whether Libraries.io has confirmed these numbers, or they are only configured."),
    ]

    def text(self) -> str:
        """Two short sentences."""
        sure = "confirmed by Libraries.io" if self.known_from == "service" else "configured, not yet confirmed"
        key = "" if self.key_present else " No API key is set."
        return (
            f"{self.remaining} of {self.limit} requests left ({sure}); the next window begins in "
            f"{self.resets_in_seconds:.0f} s. {self.waiting} calls are waiting.{key}"
        )


def register(server: FastMCP, client: LibrariesIOClient) -> None:
    """Add the tools of this domain."""

    @server.tool(
        title="Quota status",
        output_schema=QuotaAnswer.model_json_schema(),
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )
    @answers
    async def get_quota_status() -> QuotaAnswer:
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
