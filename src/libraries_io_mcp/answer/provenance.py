"""Where an answer came from, and what asking has left of the quota."""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.reply import Reply, Source

STALEST_FIRST: Final[tuple[Source, ...]] = ("stale", "cache", "network")


class Provenance(BaseModel):
    """Where an answer came from. Of several replies the oldest counts."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    endpoint: str
    """The path that was asked, as a template."""
    fetched_at: datetime
    """When Libraries.io gave these facts (UTC)."""
    source: Source
    """`stale`: Libraries.io could not be asked, so an older answer is given."""
    age_seconds: float
    quota_remaining: int
    """Requests left in this window."""

    @classmethod
    def of(cls, client: LibrariesIOClient, reply: Reply[Any], *others: Reply[Any]) -> "Provenance":
        """The provenance of a reply, and of others that helped, with the quota as it is now."""
        replies = (reply, *others)
        return cls(
            endpoint=reply.endpoint,
            fetched_at=min(each.fetched_at for each in replies),
            source=min((each.source for each in replies), key=STALEST_FIRST.index),
            age_seconds=round(max(each.age_seconds for each in replies), 3),
            quota_remaining=client.quota().remaining,
        )

    def text(self) -> str:
        """One line for the end of an answer's text."""
        left = f"{self.quota_remaining} requests left"
        if self.source == "network":
            return f"[fresh; {left}]"
        if self.source == "cache":
            return f"[cached {_age(self.age_seconds)} ago; {left}]"
        return f"[STALE: Libraries.io can't be asked now; these facts are {_age(self.age_seconds)} old; {left}]"


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
