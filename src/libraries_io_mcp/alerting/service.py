"""The loop of alerting: evaluates, watches Prometheus, decides who is in charge, has people told, keeps the state.

Everything runs on one event loop. What other threads ask for is answered from plain data that is replaced as a whole.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import product
from typing import Any, Final

from libraries_io_mcp.alerting.alert import SEVERITIES, Alert
from libraries_io_mcp.alerting.book import Book
from libraries_io_mcp.alerting.delivery import Delivery
from libraries_io_mcp.alerting.facts import alerts_facts, history_facts
from libraries_io_mcp.alerting.hand_over import Change, HandOver, patience
from libraries_io_mcp.alerting.history import Event
from libraries_io_mcp.alerting.prometheus import NoAnswerError, Prometheus, Watch, wanted
from libraries_io_mcp.alerting.rounds import Rounds
from libraries_io_mcp.alerting.rule import LoadedRules
from libraries_io_mcp.alerting.shared_state import SharedState
from libraries_io_mcp.alerting.state_file import StateFile
from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.logs.capture import EVENT_NAME

LONGEST_PAUSE_SECONDS: Final = 15.0
"""Prometheus is looked at this often at least; with short intervals, twice in each."""
UNKNOWN_SECONDS: Final = 3600.0
"""How long an alert of a lost Prometheus is held that this server has no data to judge by."""
JUDGING_INTERVALS: Final = 2
"""How many intervals after Prometheus what it said last still counts: the two evaluations are not simultaneous."""
ACTIVE_SAVED_SECONDS: Final = 60.0
"""While an alert fires or is pending, the file says at least this often that it still does."""
SAVE_SECONDS: Final = 2.0
"""How often it is looked whether there is anything to save: a message may have been delivered."""
MOMENTS: Final = frozenset({"seen_at", "answered_at", "value", "annotations"})
"""Parts of the delivery's state that change all the time and need not be exact after a restart."""

logger: Final = logging.getLogger(__name__)


class Service:
    """Alerting of one process. Call `evaluate`, `look`, `tell` and `save` one by one, or let `run` do it."""

    def __init__(
        self,
        rules: LoadedRules,
        rounds: Rounds,
        delivery: Delivery,
        *,
        instruments: Instruments,
        prometheus: Prometheus | None,
        state_file: StateFile | SharedState | None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rules = rules
        self._rounds = rounds
        self._delivery = delivery
        self._prometheus = prometheus
        self._state_file = state_file
        self._shared = state_file if isinstance(state_file, SharedState) else None
        self._now = now
        self._sleep = sleep
        self._started = now()
        self._interval = max((group.interval for group in rules.groups), default=LONGEST_PAUSE_SECONDS)
        self._watch = Watch(wanted(rules.groups)) if prometheus is not None else None
        self._charge = HandOver(self._watch, patience(rules.groups), interval=self._interval, now=self._started)
        self._book = Book()
        self._held: dict[str, tuple[Alert, float]] = {}
        self._their_since: dict[str, float] = {}
        self._news = asyncio.Event()
        self._evaluated_at: float | None = None
        self._saved: tuple[Any, ...] = ()
        self._saved_at = self._started
        self._facts: dict[str, Any] = {}
        self._history: dict[str, Any] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._show()
        instruments.watch_alerts(lambda: self._counts, lambda: self._charge.by == "in_process")

    async def run(self, ready: Callable[[], None]) -> None:
        """Work until cancelled; `ready` is called after the first evaluation. The state is saved at the end."""
        self.restore()
        for problem in self._rules.problems:
            logger.warning("alert rules: %s", problem)
        try:
            await self.look()
            await self.evaluate()
            ready()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._delivery.run())
                tasks.create_task(self._keep_evaluating())
                tasks.create_task(self._keep_telling())
                tasks.create_task(self._keep_saving())
                if self._prometheus is not None:
                    tasks.create_task(self._keep_looking())
        finally:
            self.save(at_end=True)
            if self._state_file is not None:
                self._state_file.close()

    def facts(self) -> dict[str, Any]:
        """The alerts: `{evaluated_by, since, summary, active, problems}`."""
        return self._facts

    def history_facts(self) -> dict[str, Any]:
        """What they did of late: `{events, kept, dropped}`."""
        return self._history

    def health_facts(self) -> dict[str, Any]:
        """How alerting itself does.

        `{evaluated_by, last_evaluation_age, interval, problems, undelivered, delivery_error}`: seconds; `problems` are
        mistakes in rule files, what went wrong at the last evaluation and series that were too many, one line each.
        """
        problems = [str(problem) for problem in self._rules.problems] + list(self._rounds.errors)
        channels = self._delivery.facts()["channels"]
        failing = [f"{name}: {each['last_reason']}" for name, each in channels.items() if each["last_reason"]]
        age = None if self._evaluated_at is None else self._now() - self._evaluated_at
        return {
            "evaluated_by": self._charge.by,
            "last_evaluation_age": age,
            "interval": self._interval,
            "problems": problems,
            "undelivered": sum(each["queued"] for each in channels.values()),
            "delivery_error": "; ".join(failing) or None,
        }

    async def resolve(self, fingerprint: str) -> bool:
        """A person says that an alert is over; it is, until it would fire anew. False when it does not fire."""
        resolved = self._resolve(fingerprint)
        if resolved and self._shared is not None:
            self._shared.resolved(fingerprint, self._now())
        return resolved

    async def evaluate(self) -> None:
        """Gather samples, evaluate what is due, and take over what came of it."""
        self._rounds.evaluate(self._now())
        self._rounds.adopt(self._their_since)
        self._evaluated_at = self._now()
        self._settle()
        self._news.set()

    async def look(self) -> None:
        """Ask Prometheus what it evaluates, if there is one."""
        if self._prometheus is None or self._watch is None:
            return
        try:
            groups = await self._prometheus.look()
        except NoAnswerError as error:
            self._watch.missed(str(error))
        else:
            self._watch.saw(groups, self._now())
        self._settle()

    async def tell(self) -> None:
        """Have people told of what is new, and keep the state."""
        alerts: Sequence[Alert] = self._book.to_tell
        if self._shared is not None:
            self._keep_in_touch()
            alerts = self._book.to_tell
            self._shared.publish(alerts)
            if not self._shared.leads:
                return
            alerts = self._shared.together(alerts, self._delivery.told(), self._now())
        await self._delivery.notify(alerts, by_prometheus=self._charge.by == "prometheus")
        self.save()

    def restore(self) -> None:
        """Take over what a process before this one saved."""
        data = self._state_file.load() if self._state_file is not None else {}
        if not data:
            return
        try:
            self._rounds.restore(data["groups"], self._now())
            self._book.restore(data["book"])
            by = data["evaluated_by"]
            self._charge.restore("prometheus" if by == "prometheus" else "in_process", float(data["since"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            logger.warning("the saved alerts can't be used (%s): alerting starts anew", type(error).__name__)
            return
        if self._shared is None or self._shared.leads:
            self._delivery.restore(data.get("delivery", {}))
        if self._charge.by == "in_process":
            self._held = {each.fingerprint: (each, self._started + UNKNOWN_SECONDS) for each in self._unseen()}
        self._show()

    def save(self, *, at_end: bool = False) -> None:
        """Write the state if it has changed in a way that matters after a restart."""
        if self._state_file is None:
            return
        now, delivery = self._now(), self._delivery.state()
        alerts = (self._rounds.alerts, self._book.to_tell)
        matters = (self._charge.by, *(_steps(each) for each in alerts), _without_moments(delivery))
        active = any(alert.severity != "none" and alert.state != "resolved" for each in alerts for alert in each)
        outdated = active and now - self._saved_at > ACTIVE_SAVED_SECONDS
        if not at_end and matters == self._saved and not outdated:
            return
        self._saved, self._saved_at = matters, now
        self._state_file.save(
            {
                "evaluated_by": self._charge.by,
                "since": self._charge.since,
                "groups": self._rounds.to_json(),
                "book": self._book.to_json(),
                "delivery": delivery,
            }
        )

    async def _keep_evaluating(self) -> None:
        while True:
            await self._sleep(max(0.0, min(self._rounds.next_due - self._now(), LONGEST_PAUSE_SECONDS)))
            await self._try("an evaluation", self.evaluate)

    async def _keep_looking(self) -> None:
        shortest = min((group.interval for group in self._rules.groups), default=LONGEST_PAUSE_SECONDS)
        while True:
            await self._sleep(min(shortest / 2, LONGEST_PAUSE_SECONDS))
            await self._try("a look at Prometheus", self.look)

    async def _keep_telling(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._try("telling people", self.tell)

    async def _keep_saving(self) -> None:
        while True:
            await self._sleep(SAVE_SECONDS)
            self._keep_in_touch()
            self.save()

    async def _try(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """One mistake must not end alerting: it is said, and after a pause things go on."""
        try:
            await work()
        except Exception:
            logger.exception("alerting: %s failed", what)
            await self._sleep(self._interval)

    def _settle(self) -> None:
        """Decide who is in charge, and take over the alerts of whoever that is."""
        now = self._now()
        change = self._charge.decide(self._rounds.alerts, now)
        if change is not None:
            self._changed(change, now)
        if self._watch is not None and self._charge.by == "prometheus":
            in_charge: Sequence[Alert] = self._watch.alerts
            # So that an alert that is pending there fires here on time, should Prometheus go.
            self._their_since = {alert.fingerprint: alert.active_at for alert in in_charge}
        else:
            in_charge = self._ours(now)
            if now - self._charge.since > JUDGING_INTERVALS * self._interval:
                self._their_since = {}
        for event in self._book.update(in_charge, now):
            _log(event)
        self._show()

    def _resolve(self, fingerprint: str) -> bool:
        event = self._book.resolve(fingerprint, self._now())
        if event is not None:
            _log(event)
            self._show()
            self._news.set()
            self.save()
        return event is not None

    def _keep_in_touch(self) -> None:
        """Hear which alerts people resolved at other replicas, and who is to tell people: this one from now on, with
        what the one before knew, or another one."""
        if self._shared is None:
            return
        for fingerprint in self._shared.resolved_elsewhere(self._book.firing):
            self._resolve(fingerprint)
        led = self._shared.leads
        if self._shared.hold():
            self._delivery.begin_anew(self._shared.latest().get("delivery", {}))
            self._news.set()
        elif led and not self._shared.leads:
            self._delivery.begin_anew({})

    def _changed(self, change: Change, now: float) -> None:
        who = "this server" if change.to == "in_process" else "Prometheus"
        logger.info("alert rules are evaluated by %s: %s", who, change.reason)
        self._held = {}
        self._news.set()
        if change.to == "in_process":
            for alert in self._unseen():
                judged = max(
                    self._started + self._rounds.hold_seconds(alert.name), now + JUDGING_INTERVALS * self._interval
                )
                until = judged if self._rounds.can_judge(alert.name, now) else now + UNKNOWN_SECONDS
                self._held[alert.fingerprint] = (alert, until)

    def _unseen(self) -> list[Alert]:
        """Alerts that fire, by Prometheus, and here not yet: this server may not have what it takes to see it."""
        ours = {alert.fingerprint for alert in self._rounds.alerts if alert.state == "firing"}
        return [alert for alert in self._book.active if alert.state == "firing" and alert.fingerprint not in ours]

    def _ours(self, now: float) -> Sequence[Alert]:
        """The alerts by this server's evaluation, and those of Prometheus that it can't judge yet."""
        alerts = {alert.fingerprint: alert for alert in self._rounds.alerts}
        for key, (alert, until) in list(self._held.items()):
            known = alerts.get(key)
            if now >= until or (known is not None and known.state == "firing"):
                del self._held[key]
            else:
                alerts[key] = alert
        return list(alerts.values())

    def _show(self) -> None:
        problems = [str(problem) for problem in self._rules.problems]
        self._facts = alerts_facts(
            self._book, evaluated_by=self._charge.by, since=self._charge.since, problems=problems
        )
        self._history = history_facts(self._book)
        counts: dict[tuple[str, str], int] = dict.fromkeys(product(SEVERITIES, ("pending", "firing")), 0)
        for alert in self._book.active:
            if not self._book.resolved_by_hand(alert.fingerprint):
                counts[alert.severity, alert.state] += 1
        self._counts = counts


def _without_moments(state: Any) -> Any:
    if isinstance(state, Mapping):
        return {key: _without_moments(value) for key, value in state.items() if key not in MOMENTS}
    return [_without_moments(each) for each in state] if isinstance(state, list | tuple) else state


def _steps(alerts: Sequence[Alert]) -> tuple[object, ...]:
    """All but the values, and the texts that hold them."""
    return tuple(
        (each.fingerprint, each.state, each.active_at, each.fired_at, each.resolved_at, each.keep_firing_since)
        for each in alerts
    )


def _log(event: Event) -> None:
    """One line for each step. What is meant to fire is nothing to tell."""
    loud = event.event == "firing" and event.severity in ("critical", "high", "medium")
    level = logging.WARNING if loud else logging.DEBUG if event.severity == "none" else logging.INFO
    what = event.event.replace("_", " ")
    # As an event, so that the same step of the same alert is never held back as a repetition.
    extra = {EVENT_NAME: semconv.Event.ALERT_CHANGED, semconv.Attribute.ALERT_SEVERITY: event.severity}
    logger.log(level, "alert %s is %s: %s", event.name, what, event.summary or "no summary", extra=extra)
