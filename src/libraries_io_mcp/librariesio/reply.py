"""What a question brings back: the answer and where it came from."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, Literal, TypeVar

from libraries_io_mcp.librariesio.decoder import Deviations

T = TypeVar("T")
Source = Literal["network", "cache", "stale"]


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """An answer and its provenance.

    Attributes:
        data: the decoded answer.
        endpoint: path template of the question, such as `/{platform}/{name}`.
        fetched_at: when Libraries.io gave the answer (UTC).
        source: `network`; `cache`, kept and still fresh; `stale`, kept too long, shown since the service failed.
        age_seconds: how long ago it was fetched; 0 from the network.
        canonical_platform: the stored spelling, when it differs from the one asked for.
        canonical_name: the stored spelling, when it differs from the one asked for.
        deviations: what of the reply could not be read and is unknown in `data`, by field.
        total: number of items of a paginated list, when the service said so.
    """

    data: T
    endpoint: str
    fetched_at: datetime
    source: Source = "network"
    age_seconds: float = 0.0
    canonical_platform: str | None = None
    canonical_name: str | None = None
    total: int | None = None
    deviations: Deviations = field(default_factory=dict)

    def kept(self, source: Source, now: float) -> "Reply[T]":
        """The same answer as it looks when it is shown again at `now` (epoch seconds). `data` is not copied."""
        return replace(self, source=source, age_seconds=max(now - self.fetched_at.timestamp(), 0.0))
