"""A check: one thing that can be well or not, how often it is looked at, and what came of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from libraries_io_mcp.telemetry.semconv import HealthCheck

Status = Literal["healthy", "degraded", "unhealthy", "unknown"]
STATUS_VALUE: Final[dict[Status, float]] = {"healthy": 1.0, "degraded": 0.5, "unhealthy": 0.0, "unknown": -1.0}
"""What the metric `health.check.status` says."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a look at one thing found.

    Attributes:
        status: `degraded`: it works, with less than it should have. `unhealthy`: it does not do its work.
        error: what is wrong, one sentence; `None` when nothing is.
        details: plain data that helps to understand it.
        what_to_do: one sentence for whoever runs the server; `None` when nothing is to be done.
    """

    status: Status
    error: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    what_to_do: str | None = None


Ping = Callable[[], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    Attributes:
        name: snake_case; its address is `/health/{name}`, and the value of the metric's attribute.
        ping: looks. It may raise; that counts as unhealthy.
        interval: seconds between two looks, give or take a tenth.
        critical: without it the server can't do its main job: `/health/ready` answers 503 while it is unhealthy.
        timeout: seconds a look may take.
    """

    name: HealthCheck
    ping: Ping
    interval: float = 30.0
    critical: bool = False
    timeout: float = 5.0
