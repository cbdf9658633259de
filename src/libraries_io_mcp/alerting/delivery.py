"""Who is told of which alert: Alertmanager while it answers, otherwise the direct channels, each once."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.notification import (
    AlertmanagerApi,
    Channels,
    Done,
    GiveUp,
    Result,
    Retry,
)
from libraries_io_mcp.alerting.ledger import RESOLVED_SECONDS, SETTLE_SECONDS, Ledger
from libraries_io_mcp.alerting.outbox import CAPACITY, Outbox
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.observe import Observer
from libraries_io_mcp.telemetry.semconv import AlertDelivery, Attribute

__all__ = ["RESOLVED_SECONDS", "Delivery"]

PROBE_SECONDS: Final = 5.0
"""How often an Alertmanager that is away is asked: less than its group_wait, so that our silences come in time."""

NOTHING_TOLD: Final[Mapping[str, Any]] = {"entries": (), "threads": (), "fired": ()}

logger: Final = logging.getLogger("libraries_io_mcp.alerting")


class Delivery:
    """Keeps what has been told to whom, so that each alert is told once when it fires and once when it resolves.

    Use: `restore(state)` once, a task that runs `run()` until it is cancelled, `await notify(...)` after every
    evaluation, `state()` whenever the state file is written. All on one event loop.

    Args:
        interval_seconds: time between two calls of `notify`.
        settle_seconds: after so long with an alert Alertmanager has told people of it.
        jitter: a random number from 0 to 1.
    """

    def __init__(
        self,
        channels: Channels,
        *,
        observer: Observer,
        instruments: Instruments,
        interval_seconds: float = 15.0,
        settle_seconds: float = SETTLE_SECONDS,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        capacity: int = CAPACITY,
    ) -> None:
        self._channels = channels
        self._alertmanager = channels.alertmanager
        self._observer = observer
        self._instruments = instruments
        self._interval = interval_seconds
        self._now = now
        self._sleep = sleep
        self._ledger = Ledger(settle_seconds=settle_seconds)
        self._outboxes = [
            Outbox(
                channel,
                observer=observer,
                instruments=instruments,
                now=now,
                sleep=sleep,
                jitter=jitter,
                on_delivered=self._ledger.delivered,
                capacity=capacity,
            )
            for channel in channels.direct
        ]
        self._lock = asyncio.Lock()
        self._latest: tuple[tuple[Alert, ...], bool] = ((), True)
        self._failing_since: float | None = None
        self._away = False
        self._answered_at: float | None = None
        self._started = ""

    async def notify(self, alerts: Sequence[Alert], *, by_prometheus: bool) -> tuple[Alert, ...]:
        """Tell what is new: asks Alertmanager (a few seconds at most, raises nothing) and fills the queues.

        Call it after EVERY evaluation, in charge or standing by, with the alerts as they stand.

        Args:
            alerts: all that fire, and all that have resolved within the last 15 minutes (`RESOLVED_SECONDS`), whether
                or not they were handed in before: what was told already is not told again. Pending ones are ignored.
            by_prometheus: Prometheus evaluates now, so it is the one that tells Alertmanager; the direct channels are
                still used when Alertmanager does not answer.

        Returns:
            Alerts that fire and are held back from now on (for the history), each once: by their rule's cooldown, or by
            a critical alert about the same.
        """
        told = tuple(alert for alert in alerts if alert.state != "pending")
        async with self._lock:
            self._latest = (told, by_prometheus)
            self._count(await self._ask_alertmanager())
            direct = bool(self._outboxes) and (self._alertmanager is None or self._away)
            review = self._ledger.review(told, direct=direct, answered_at=self._answered_at, now=self._now())
            for notification in review.notifications:
                for outbox in self._outboxes:
                    outbox.put(notification)
            for _alert in review.held:
                for outbox in self._outboxes:
                    outbox.held()
        return review.held

    async def run(self) -> None:
        """Send what is queued, one worker a channel, and look out for Alertmanager, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for outbox in self._outboxes:
                tasks.create_task(outbox.run())
            if self._alertmanager is not None:
                tasks.create_task(self._look_out())

    async def aclose(self) -> None:
        """Close all connections; after `run` was cancelled."""
        for channel in (*self._channels.direct, self._alertmanager):
            if channel is not None:
                await channel.aclose()

    async def work(self) -> None:
        """Try once all that is due now, in every channel."""
        await asyncio.gather(*(outbox.work() for outbox in self._outboxes))

    def state(self) -> dict[str, Any]:
        """What must survive a restart, as JSON; no secret in it."""
        queues = {outbox.name: outbox.state() for outbox in self._outboxes}
        known = {"answered_at": self._answered_at, "started": self._started}
        return {"ledger": self._ledger.state(), "queues": queues, "alertmanager": known}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave; what can't be used of it is left out and logged."""
        try:
            queues = dict(state.get("queues", {}))
            if "ledger" in state:
                self._ledger.restore(state["ledger"])
                self._answered_at = state["alertmanager"]["answered_at"]
                self._started = state["alertmanager"]["started"]
            for outbox in self._outboxes:
                outbox.restore(queues.pop(outbox.name, []))
            for name in sorted(name for name, queue in queues.items() if queue):
                logger.warning("%s: no such channel any more; %d messages are not delivered", name, len(queues[name]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            logger.warning("what was told before the restart can't be read (%s): begun anew", type(error).__name__)

    def begin_anew(self, state: Mapping[str, Any]) -> None:
        """Forget all that was told and is queued, and take over what `state` gave in another replica."""
        self._ledger.restore(NOTHING_TOLD)
        self._latest = ((), True)
        for outbox in self._outboxes:
            outbox.clear()
        self.restore(state)

    def told(self) -> tuple[Alert, ...]:
        """The alerts that are not over, as far as whoever was told of them knows."""
        return self._ledger.open

    def facts(self) -> dict[str, Any]:
        """How the ways do.

        `{"alertmanager": "answering"|"away"|"unknown"|None, "channels": {name: {"queued", "last_outcome", "last_at",
        "last_reason"}}}`.
        """
        reached = "away" if self._away else "unknown" if self._answered_at is None else "answering"
        return {
            "alertmanager": None if self._alertmanager is None else reached,
            "channels": {outbox.name: outbox.facts() for outbox in self._outboxes},
        }

    async def _look_out(self) -> None:
        while True:
            await self._sleep(PROBE_SECONDS)
            if self._away:
                async with self._lock:
                    await self._ask_alertmanager()

    async def _ask_alertmanager(self) -> Result | None:
        """Find out whether it answers; silence what was told past it; send the alerts unless Prometheus does.

        Returns:
            What became of the alerts; `None` when none were to be sent.
        """
        if self._alertmanager is None:
            return None
        alerts, by_prometheus = self._latest
        started = await self._alertmanager.started()
        if not isinstance(started, str):
            self._failed(started)
            return None if by_prometheus or not alerts else started
        await self._greet(self._alertmanager, started)
        result = None if by_prometheus or not alerts else await self._push(self._alertmanager, alerts)
        if result is None or isinstance(result, Done):
            self._answered()
        else:
            self._failed(result)
        return result

    async def _greet(self, alertmanager: AlertmanagerApi, started: str) -> None:
        if self._outboxes:
            if self._away:
                self._ledger.returned(self._now())
            elif self._started and started != self._started:
                self._ledger.restarted(self._answered_at)
            for entry, until in self._ledger.to_silence(self._now()):
                silence = await alertmanager.silence(entry.alert.labels, until, entry.silence)
                if isinstance(silence, str):
                    entry.silence, entry.silence_until = silence, until
                else:
                    logger.warning(
                        "alertmanager: %s, told already, could not be silenced there and may be told twice (%s)",
                        entry.alert.name,
                        _reason(silence),
                    )
        self._started = started

    async def _push(self, alertmanager: AlertmanagerApi, alerts: Sequence[Alert]) -> Result:
        with self._observer.operation("alerting.deliver") as span:
            span.set_attribute(Attribute.ALERT_CHANNEL, "alertmanager")
            return await alertmanager.push(alerts, self._interval)

    def _count(self, result: Result | None) -> None:
        if result is not None:
            outcome: dict[type[Result], AlertDelivery] = {Done: "done", Retry: "retry", GiveUp: "give_up"}
            self._instruments.alert_delivery("alertmanager", outcome[type(result)])

    def _failed(self, result: Result) -> None:
        now = self._now()
        if self._failing_since is None:
            self._failing_since = now
            logger.warning("alertmanager: does not take alerts (%s)", _reason(result))
        # One failure may be a restart; a second one an interval later is an outage.
        if not self._away and now - self._failing_since >= 0.9 * self._interval:
            self._away = True
            logger.warning("alertmanager: away; %s", "direct channels are used" if self._outboxes else "nobody is told")

    def _answered(self) -> None:
        if self._failing_since is not None:
            logger.info("alertmanager: takes alerts again")
        self._failing_since, self._away, self._answered_at = None, False, self._now()


def _reason(result: Result) -> str:
    return "no reason given" if isinstance(result, Done) else result.reason
