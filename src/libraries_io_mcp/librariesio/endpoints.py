"""The closed list of what can be asked: path template, model, and how long an answer may be kept. No policy."""

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from libraries_io_mcp.librariesio import models

T = TypeVar("T")
MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[T]):
    """One endpoint of the service.

    Attributes:
        template: its path with placeholders; also its name in telemetry.
        model: what the answer is decoded to.
        keep_seconds: how long an answer may be kept; 0 for never.
        needs_key: the service refuses it without a key.
        repeatable: sending it twice does no harm.
    """

    template: str
    model: Any
    keep_seconds: float
    method: str = "GET"
    needs_key: bool = False
    repeatable: bool = True


SEARCH: Final[Endpoint[tuple[models.Project, ...]]] = Endpoint(
    "/search", tuple[models.Project, ...], keep_seconds=10 * MINUTE, needs_key=True
)
PLATFORMS: Final[Endpoint[tuple[models.Platform, ...]]] = Endpoint(
    "/platforms", tuple[models.Platform, ...], keep_seconds=DAY
)
PROJECT: Final[Endpoint[models.Project]] = Endpoint("/{platform}/{name}", models.Project, keep_seconds=HOUR)
# What a released version depends on does not change; what is known about those dependencies does.
DEPENDENCIES: Final[Endpoint[models.VersionDependencies]] = Endpoint(
    "/{platform}/{name}/{version}/dependencies", models.VersionDependencies, keep_seconds=6 * HOUR
)
