"""The queue of one direct channel: bounded, in order within a group, tried again with patience, kept over a restart."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from libraries_io_mcp.alerting.channels.notification import Channel, Done, GiveUp, Notification, Result, Retry
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.observe import Observer
from libraries_io_mcp.telemetry.semconv import AlertDelivery, Attribute

CAPACITY: Final = 100
FIRST_WAIT_SECONDS: Final = 5.0
LONGEST_WAIT_SECONDS: Final = 300.0
GIVE_UP_SECONDS: Final = 21_600.0
"""A message that could not be delivered within six hours is given up."""

logger: Final = logging.getLogger("libraries_io_mcp.alerting")


class RetriedError(Exception):
    """An attempt failed and another one follows: marks its span as failed."""


class GivenUpError(Exception):
    """An attempt failed for good: marks its span as failed."""


@dataclass(slots=True)
class Item:
    """A notification on its way."""

    notification: Notification
    attempts: int = 0
    due: float = 0.0


class Outbox:
    """What one channel has still to deliver.

    Args:
        jitter: a random number from 0 to 1.
        on_delivered: told of each notification that people have got.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        observer: Observer,
        instruments: Instruments,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        jitter: Callable[[], float],
        on_delivered: Callable[[Notification], None],
        capacity: int = CAPACITY,
    ) -> None:
        self.name = channel.name
        self._channel = channel
        self._observer = observer
        self._instruments = instruments
        self._now = now
        self._sleep = sleep
        self._jitter = jitter
        self._on_delivered = on_delivered
        self._capacity = capacity
        self._items: list[Item] = []
        self._sending: Item | None = None
        self._filled = asyncio.Event()
        self._last: tuple[AlertDelivery, float, str | None] | None = None

    def put(self, notification: Notification) -> None:
        """Queue it. In a full queue the oldest goes, which is said and counted."""
        self._items.append(Item(notification))
        while len(self._items) > self._capacity:
            oldest = next(item for item in self._items if item is not self._sending)
            self._items.remove(oldest)
            self._say("dropped", oldest.notification, "the queue is full")
        self._filled.set()

    def held(self) -> None:
        """An alert is kept back by its rule's cooldown."""
        self._instruments.alert_delivery(self.name, "held")

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self._rest(await self.work())

    async def work(self) -> float | None:
        """Try all that is due; seconds until the next try is due, `None` when nothing is queued."""
        while (item := self._next()) is not None:
            self._sending = item
            try:
                result = await self._attempt(item.notification)
            finally:
                self._sending = None
            self._settle(item, result)
        return max(0.0, min(item.due for item in self._items) - self._now()) if self._items else None

    def facts(self) -> dict[str, Any]:
        """`{"queued", "last_outcome", "last_at", "last_reason"}`, the last three `None` before the first attempt."""
        outcome, at, reason = self._last or (None, None, None)
        return {"queued": len(self._items), "last_outcome": outcome, "last_at": at, "last_reason": reason}

    def state(self) -> list[dict[str, Any]]:
        """What is queued, as JSON."""
        return [{"notification": item.notification.to_json(), "attempts": item.attempts} for item in self._items]

    def restore(self, state: list[Mapping[str, Any]]) -> None:
        """What `state` gave, due at once.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        items = [Item(Notification.from_json(each["notification"]), int(each["attempts"])) for each in state]
        self._items = [*items, *self._items][-self._capacity :]
        self._filled.set()

    def clear(self) -> None:
        """Forget what is queued; what is just being sent is sent to its end."""
        self._items = [item for item in self._items if item is self._sending]

    def _next(self) -> Item | None:
        """The first that is due and has nothing before it about the same group."""
        waiting: set[str] = set()
        for item in self._items:
            key = item.notification.group_key
            if key not in waiting and item.due <= self._now():
                return item
            waiting.add(key)
        return None

    async def _attempt(self, notification: Notification) -> Result:
        result: Result = Retry("it ended without a result")
        try:
            with self._observer.operation("alerting.deliver") as span:
                span.set_attribute(Attribute.ALERT_CHANNEL, self.name)
                result = await self._channel.deliver(notification)
                _mark(result)
        except (RetriedError, GivenUpError):
            pass
        except Exception as error:
            # A mistake in a channel must not end the worker for good.
            result = Retry(f"it failed ({type(error).__name__})")
        return result

    def _settle(self, item: Item, result: Result) -> None:
        notification = item.notification
        if isinstance(result, Retry) and self._now() - notification.created >= GIVE_UP_SECONDS:
            result = GiveUp(f"tried for {GIVE_UP_SECONDS / 3600:g} hours, at last: {result.reason}")
        if isinstance(result, Retry):
            item.attempts += 1
            wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(item.attempts - 1, 10))
            wait = max(wait * (0.75 + 0.5 * self._jitter()), result.after_seconds or 0.0)
            item.due = self._now() + wait
            self._say("retry", notification, f"{result.reason}; again in {wait:.0f} s")
            return
        if item in self._items:
            self._items.remove(item)
        if isinstance(result, Done):
            self._on_delivered(notification)
            self._say("done", notification, result.note)
        else:
            self._say("give_up", notification, result.reason)

    def _say(self, outcome: AlertDelivery, notification: Notification, reason: str | None) -> None:
        self._instruments.alert_delivery(self.name, outcome)
        self._last = (outcome, self._now(), reason)
        level = {"done": logging.WARNING if reason else logging.INFO, "retry": logging.WARNING}
        logger.log(
            level.get(outcome, logging.ERROR),
            "%s: %s is %s, %d alert%s: %s%s",
            self.name,
            notification.group.get("alertname", ""),
            notification.status,
            len(notification.alerts),
            "" if len(notification.alerts) == 1 else "s",
            outcome,
            f" ({reason})" if reason else "",
            extra={Attribute.ALERT_CHANNEL: self.name, Attribute.ALERT_OUTCOME: outcome},
        )

    async def _rest(self, seconds: float | None) -> None:
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._filled.wait())]
        if seconds is not None:
            waits.append(asyncio.ensure_future(self._sleep(seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._filled.clear()


def _mark(result: Result) -> None:
    """Raise inside the span what makes it a failed one."""
    if isinstance(result, Retry):
        raise RetriedError
    if isinstance(result, GiveUp):
        raise GivenUpError
