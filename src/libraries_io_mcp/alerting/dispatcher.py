"""Who is told of which alert: Alertmanager while it answers, otherwise the server's own receivers.

Each receiver has a worker of its own, so one that hangs holds up no other. What is due is asked of the notification log
anew each time, so there is no queue to lose, and whatever was not delivered is due again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.notification import (
    Channel,
    Channels,
    Delivered,
    Failed,
    Notification,
    Result,
)
from libraries_io_mcp.alerting.notification_log import NotificationLog
from libraries_io_mcp.supervisor import Supervisor
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.observe import Observer
from libraries_io_mcp.telemetry.semconv import AlertChannel, Attribute

AWAY_SECONDS: Final = 45.0
"""An Alertmanager that has taken nothing for so long is away: people are told within a minute, whoever tells them."""
PUSH_SECONDS: Final = 15.0
"""Alertmanager gets everything again this often, which is also how it is seen whether it is there."""
LOOK_SECONDS: Final = 2.0
"""How often it is looked what has become due by time alone."""
FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 60.0
"""Between two attempts, as long as the other side does not ask for more."""

logger: Final = logging.getLogger("libraries_io_mcp.alerting")


class DeliveryFailedError(Exception):
    """Marks the span of an attempt as failed."""


@dataclass(slots=True)
class Attempts:
    """What one receiver has not taken of one group. `due` is when it is tried again, by the monotonic clock."""

    failures: int
    due: float
    reason: str
    firing: bool


@dataclass(slots=True)
class Receiver:
    """One of the server's own, and what it has not taken, by group."""

    channel: Channel
    news: asyncio.Event = field(default_factory=asyncio.Event)
    failing: dict[str, Attempts] = field(default_factory=dict)
    last: tuple[str, float, str | None] | None = None


class Dispatcher:
    """Tells people. Use: `restore` once, a task that runs `run`, `update` with the alerts as they stand.

    Args:
        on_delivered: called after each delivery, so that it is remembered over a restart.
        jitter: a random number from 0 to 1.
    """

    def __init__(
        self,
        channels: Channels,
        *,
        observer: Observer,
        instruments: Instruments,
        on_delivered: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._alertmanager = channels.alertmanager
        self._receivers = [Receiver(channel) for channel in channels.direct]
        self._observer = observer
        self._instruments = instruments
        self.on_delivered = on_delivered
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._jitter = jitter
        self._log = NotificationLog()
        self._alerts: tuple[Alert, ...] | None = None
        self._sent_elsewhere: Collection[str] = frozenset()
        self._push_news = asyncio.Event()
        self._answered_at = now()
        self._silent_since: float | None = None
        self._failure: str | None = None
        self._was_away = False

    def update(self, alerts: Sequence[Alert] | None, *, sent_elsewhere: Collection[str] = frozenset()) -> None:
        """Take over the alerts as they stand: all that fire, and those that have resolved of late.

        Args:
            alerts: `None` while another replica tells.
            sent_elsewhere: fingerprints of those that Prometheus sends to Alertmanager itself.
        """
        now = self._now()
        if alerts is None:
            self._alerts = None
            return
        told = [alert for alert in alerts if alert.state != "pending"]
        changed = self._alerts is None or _states(told) != _states(self._alerts)
        self._alerts = self._log.with_missing(told, now=now, monotonic=self._monotonic())
        self._sent_elsewhere = sent_elsewhere
        self._log.forget(now)
        if changed:
            self._push_news.set()
            self._wake()

    async def run(self, supervisor: Supervisor) -> None:
        """Tell until cancelled. Every part is started again should it fail."""
        async with asyncio.TaskGroup() as tasks:
            if self._alertmanager is not None:
                await self.push()
                tasks.create_task(supervisor.keep("sending alerts to Alertmanager", self._keep_pushing))
            for receiver in self._receivers:
                name = f"sending alerts by {receiver.channel.label}"
                tasks.create_task(supervisor.keep(name, partial(self._keep_telling, receiver)))

    async def work(self) -> None:
        """Send to Alertmanager, and try once all that is due."""
        await self.push()
        for receiver in self._receivers:
            await self.tell(receiver)

    async def push(self) -> None:
        """Send Alertmanager everything that Prometheus does not send; nothing to send is only a question."""
        if self._alertmanager is None or self._alerts is None:
            return
        alerts = [alert for alert in self._alerts if alert.fingerprint not in self._sent_elsewhere]
        result = await self._alertmanager.ask() if not alerts else await self._push(self._alertmanager.push, alerts)
        away = self.away
        if isinstance(result, Delivered):
            if self._failure is not None:
                logger.info("alertmanager: takes alerts again%s", "; it tells people from now on" if away else "")
            self._failure, self._silent_since, self._answered_at = None, None, self._now()
        else:
            if self._failure is None:
                logger.warning("alertmanager: does not take alerts (%s)", result.reason)
            self._failure = result.reason
            if self._silent_since is None:
                self._silent_since = self._monotonic() - max(0.0, self._now() - self._answered_at)
        if self.away != self._was_away:
            self._was_away = self.away
            if self.away:
                instead = "the server's own channels tell people" if self._receivers else "nobody is told"
                logger.warning("alertmanager: away; %s", instead)
            self._wake()

    @property
    def away(self) -> bool:
        """Whether there is an Alertmanager that has taken nothing for a while."""
        return self._silent_since is not None and self._monotonic() - self._silent_since >= AWAY_SECONDS

    async def tell(self, receiver: Receiver) -> None:
        """Send all that is due to one receiver, each message once."""
        tried: set[str] = set()
        # Anew after each message: what was delivered may make others unnecessary.
        while (notification := self._next(receiver, tried)) is not None:
            tried.add(notification.group_key)
            result = await self._attempt(receiver.channel, notification)
            self._record_result(receiver, notification, result)

    def to_json(self) -> dict[str, Any]:
        """What must survive a restart; no secret in it."""
        return {"log": self._log.to_json(), "alertmanager_answered_at": self._answered_at}

    def restore(self, data: Any) -> None:
        """Forget what is known, and take over what `to_json` gave; what can't be used of it is said and left out."""
        state = data if isinstance(data, Mapping) else {}
        self._log.restore(state.get("log"), [receiver.channel.id for receiver in self._receivers])
        answered_at = state.get("alertmanager_answered_at")
        if isinstance(answered_at, int | float) and answered_at <= self._now():
            self._answered_at = float(answered_at)

    @property
    def open(self) -> tuple[Alert, ...]:
        """What people were told of, and not yet of its end."""
        return self._log.open

    def facts(self) -> dict[str, Any]:
        """How the ways do.

        `{"alertmanager": "answering" | "away" | "failing" | None, "alertmanager_reason", "channels": {name: {"failing",
        "firing", "reason", "last_outcome", "last_at"}}}`: how many groups a receiver has not taken, and whether any of
        them fires.
        """
        state = "away" if self.away else "answering" if self._failure is None else "failing"
        return {
            "alertmanager": None if self._alertmanager is None else state,
            "alertmanager_reason": self._failure,
            "channels": {receiver.channel.label: _facts(receiver) for receiver in self._receivers},
        }

    async def aclose(self) -> None:
        """Close all connections; after `run` was cancelled."""
        for channel in (*(receiver.channel for receiver in self._receivers), self._alertmanager):
            if channel is not None:
                await channel.aclose()

    async def _keep_pushing(self) -> None:
        while True:
            failing = self._failure is not None
            await self._pause(self._push_news, FIRST_PAUSE_SECONDS if failing else PUSH_SECONDS)
            await self.push()

    async def _keep_telling(self, receiver: Receiver) -> None:
        while True:
            await self.tell(receiver)
            await self._pause(receiver.news, LOOK_SECONDS)

    def _next(self, receiver: Receiver, tried: set[str]) -> Notification | None:
        if self._alerts is None:
            return None
        tells = self._alertmanager is None or self.away
        due = self._log.due(receiver.channel.id, self._alerts, tells=tells, now=self._now())
        keys = {notification.group_key for notification in due}
        receiver.failing = {key: each for key, each in receiver.failing.items() if key in keys}
        for notification in due:
            attempts = receiver.failing.get(notification.group_key)
            waits = attempts is not None and self._monotonic() < attempts.due
            if notification.group_key not in tried and not waits:
                return notification
        return None

    async def _attempt(self, channel: Channel, notification: Notification) -> Result:
        async def deliver(_alerts: Sequence[Alert]) -> Result:
            return await channel.deliver(notification)

        return await self._push(deliver, notification.alerts, channel.name)

    async def _push(
        self,
        send: Callable[[Sequence[Alert]], Awaitable[Result]],
        alerts: Sequence[Alert],
        name: AlertChannel = "alertmanager",
    ) -> Result:
        """Send within a span, and count what came of it."""
        result: Result = Failed("it ended without a result")
        try:
            with self._observer.operation("alerting.deliver") as span:
                span.set_attribute(Attribute.ALERT_CHANNEL, name)
                result = await send(alerts)
                _mark(result)
        except DeliveryFailedError:
            pass
        except Exception as error:
            # A mistake in a channel is a failed delivery like any other.
            logger.exception("%s: a delivery failed", name)
            result = Failed(f"it failed ({type(error).__name__})")
        self._instruments.alert_delivery(name, "delivered" if isinstance(result, Delivered) else "failed")
        return result

    def _record_result(self, receiver: Receiver, notification: Notification, result: Result) -> None:
        now, key = self._now(), notification.group_key
        if isinstance(result, Delivered):
            receiver.failing.pop(key, None)
            receiver.last = ("delivered", now, result.note)
            self._log.delivered(receiver.channel.id, notification, now)
            self.on_delivered()
            _say(receiver.channel, notification, "delivered", result.note)
            return
        before = receiver.failing.get(key)
        failures = 1 if before is None else before.failures + 1
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10))
        pause = max(pause * (0.75 + 0.25 * self._jitter()), result.after_seconds or 0.0)
        due = self._monotonic() + pause
        receiver.failing[key] = Attempts(failures, due, result.reason, notification.status == "firing")
        receiver.last = ("failed", now, result.reason)
        _say(receiver.channel, notification, "failed", f"{result.reason}; again in {pause:.0f} s")

    def _wake(self) -> None:
        for receiver in self._receivers:
            receiver.news.set()

    async def _pause(self, news: asyncio.Event, seconds: float) -> None:
        waits = [asyncio.ensure_future(news.wait()), asyncio.ensure_future(self._sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        news.clear()


def _mark(result: Result) -> None:
    """Raise inside the span what makes it a failed one."""
    if isinstance(result, Failed):
        raise DeliveryFailedError


def _states(alerts: Sequence[Alert]) -> set[tuple[str, str]]:
    return {(alert.fingerprint, alert.state) for alert in alerts}


def _facts(receiver: Receiver) -> dict[str, Any]:
    outcome, at, reason = receiver.last or (None, None, None)
    return {
        "failing": len(receiver.failing),
        "firing": any(attempts.firing for attempts in receiver.failing.values()),
        "reason": reason,
        "last_outcome": outcome,
        "last_at": at,
    }


def _say(channel: Channel, notification: Notification, outcome: str, reason: str | None) -> None:
    count = len(notification.alerts)
    logger.log(
        logging.WARNING if reason else logging.INFO,
        "%s: %s is %s, %d alert%s: %s%s",
        channel.label,
        notification.group.get("alertname", ""),
        notification.status,
        count,
        "" if count == 1 else "s",
        outcome,
        f" ({reason})" if reason else "",
        extra={Attribute.ALERT_CHANNEL: channel.name, Attribute.ALERT_OUTCOME: outcome},
    )
