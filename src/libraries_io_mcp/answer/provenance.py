"""Where an answer came from, and what asking has left of the quota."""

from collections import Counter
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.reply import Reply, Source

MOST_TELLING_FIRST: Final[tuple[Source, ...]] = ("stale", "network", "cache")
"""What an answer that came of several replies is called."""
MOST_FIELDS: Final = 10
"""Fields that an answer names as unreadable."""


class Provenance(BaseModel):
    """Where an answer came from. Of several replies the oldest says how old the answer is."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    endpoint: str
    """The path whose answer this is, as a template."""
    also_asked: tuple[str, ...] = ()
    """Other paths that took part."""
    canonical_name: str | None = None
    """How Libraries.io spells the package's name, if it was asked for by another spelling."""
    fetched_at: datetime
    """When Libraries.io gave these facts (UTC)."""
    source: Source
    """`stale`: Libraries.io could not be asked, so an older answer is given, at least in part. `network`: some of it
    was asked for now. `cache`: nothing was."""
    age_seconds: float
    """Of the oldest part."""
    unreadable: tuple[str, ...] = ()
    """Fields of Libraries.io's reply that could not be read, with how many values: they are unknown here."""
    requests_spent: int = 0
    """Requests that this answer cost; 0 also when another caller asked the same at the same time and paid."""
    quota_remaining: int
    """Requests left in this window."""

    @classmethod
    def of(cls, client: LibrariesIOClient, reply: Reply[Any], *others: Reply[Any]) -> "Provenance":
        """The provenance of a reply, and of others that helped, with the quota as it is now."""
        replies, spent = (reply, *others), client.expenses
        took_part = dict.fromkeys((*(each.endpoint for each in others), *spent.endpoints))
        return cls(
            endpoint=reply.endpoint,
            also_asked=tuple(each for each in took_part if each != reply.endpoint),
            canonical_name=next((each.canonical_name for each in replies if each.canonical_name), None),
            fetched_at=min(each.fetched_at for each in replies),
            source=min((each.source for each in replies), key=MOST_TELLING_FIRST.index),
            age_seconds=round(max(each.age_seconds for each in replies), 3),
            unreadable=_unreadable(replies),
            requests_spent=spent.requests,
            quota_remaining=client.quota().remaining,
        )

    def text(self) -> str:
        """One line for the end of an answer's text."""
        left = f"{self.requests_spent} spent, {self.quota_remaining} requests left"
        if self.unreadable:
            left += f"; unreadable in Libraries.io's reply and unknown here: {', '.join(self.unreadable)}"
        if self.source == "network":
            part = f", in part cached {_age(self.age_seconds)} ago" if self.age_seconds else ""
            return f"[fresh{part}; {left}]"
        if self.source == "cache":
            return f"[cached {_age(self.age_seconds)} ago; {left}]"
        return f"[STALE: Libraries.io can't be asked now; these facts are {_age(self.age_seconds)} old; {left}]"


def _unreadable(replies: tuple[Reply[Any], ...]) -> tuple[str, ...]:
    found = Counter[str]()
    for reply in replies:
        found.update(reply.deviations)
    listed = tuple(f"{field} ({count})" for field, count in found.items())
    more = (f"{len(listed) - MOST_FIELDS} more fields",) if len(listed) > MOST_FIELDS else ()
    return listed[:MOST_FIELDS] + more


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
