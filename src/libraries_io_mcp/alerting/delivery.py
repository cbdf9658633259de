"""Who is told of which alert: Alertmanager while it answers, otherwise the direct channels, each once."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.notification import Channel
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.observe import Observer


@dataclass(frozen=True, slots=True)
class Channels:
    """The ways that are configured."""

    direct: tuple[Channel, ...] = ()


class Delivery:
    """Keeps what has been told to whom, so that each alert is told once when it fires and once when it resolves.

    Use: `restore(state)` once, a task that runs `run()` until it is cancelled, `notify(...)` after every evaluation,
    `state()` whenever the state file is written. All on one event loop.
    """

    def __init__(
        self,
        channels: Channels,
        *,
        observer: Observer,
        instruments: Instruments,
        interval_seconds: float = 15.0,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._channels = channels

    async def notify(self, alerts: Sequence[Alert], *, by_prometheus: bool) -> tuple[Alert, ...]:
        """Tell what is new: asks Alertmanager (a few seconds at most, raises nothing) and fills the queues. Call it after EVERY evaluation, in charge or standing by, with the alerts as they stand.

        Args:
            alerts: all that fire, and all that have resolved within the last 15 minutes (`RESOLVED_SECONDS`), whether
                or not they were handed in before: what was told already is not told again. Pending ones are ignored.
            by_prometheus: Prometheus evaluates now, so it is the one that tells Alertmanager; the direct channels are
                still used when Alertmanager does not answer.

        Returns:
            Alerts that fire and are held back from now on by their rule's cooldown (for the history); each once.
        """
        return ()

    async def run(self) -> None:
        """Send what is queued, one worker a channel, until cancelled."""

    def state(self) -> dict[str, Any]:
        """What must survive a restart, as JSON; no secret in it."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave; what can't be used of it is left out and logged."""

    def facts(self) -> dict[str, Any]:
        """How the channels do: `{"alertmanager": ..., "channels": {name: {"queued", "last_outcome", ...}}}`."""
        return {}
