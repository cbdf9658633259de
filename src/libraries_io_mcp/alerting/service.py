"""The loop of alerting: evaluates, watches Prometheus, decides who is active, has people told, keeps the state.

Everything runs on one event loop. What other threads ask for is answered from plain data that is replaced as a whole.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import product
from typing import Any, Final

from libraries_io_mcp.alerting.alert import SEVERITIES, Alert
from libraries_io_mcp.alerting.alert_store import AlertStore
from libraries_io_mcp.alerting.dispatcher import Dispatcher
from libraries_io_mcp.alerting.facts import alerts_facts, delivery_facts, history_facts
from libraries_io_mcp.alerting.hand_over import Change, HandOver, patience
from libraries_io_mcp.alerting.history import Event
from libraries_io_mcp.alerting.leader_election import LeaderElection
from libraries_io_mcp.alerting.prometheus import NoAnswerError, Prometheus, Watch, wanted
from libraries_io_mcp.alerting.rounds import Rounds
from libraries_io_mcp.alerting.rule import AlertingRule, LoadedRules
from libraries_io_mcp.alerting.shared_samples import SharedSamples
from libraries_io_mcp.alerting.state_file import StateFile
from libraries_io_mcp.supervisor import Supervisor
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
"""While an alert fires or is pending, the state says at least this often that it still does."""
SAVE_SECONDS: Final = 2.0
"""How often it is looked whether there is anything to save; after a delivery, at once."""

logger: Final = logging.getLogger(__name__)


class Service:
    """Alerting of one process. Call `evaluate`, `poll_prometheus`, `notify`, `save` one by one, or let `run` do it.

    Args:
        state_file: where the state is kept by one process alone.
        election: how it is shared by several; `samples` are then those of all.
    """

    def __init__(
        self,
        rules: LoadedRules,
        rounds: Rounds,
        dispatcher: Dispatcher,
        *,
        instruments: Instruments,
        prometheus: Prometheus | None = None,
        state_file: StateFile | None = None,
        election: LeaderElection | None = None,
        samples: SharedSamples | None = None,
        supervisor: Supervisor | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rules = rules
        self._rounds = rounds
        self._dispatcher = dispatcher
        self._prometheus = prometheus
        self._state_file = state_file
        self._election = election
        self._samples = samples
        self._supervisor = supervisor or Supervisor(sleep=sleep)
        self._now = now
        self._sleep = sleep
        self._started = now()
        self._interval = max((group.interval for group in rules.groups), default=LONGEST_PAUSE_SECONDS)
        self._watch = Watch(wanted(rules.groups)) if prometheus is not None else None
        self._charge = HandOver(self._watch, patience(rules.groups), interval=self._interval, now=self._started)
        self._store = AlertStore()
        self._held: dict[str, tuple[Alert, float]] = {}
        self._their_since: dict[str, float] = {}
        self._news = asyncio.Event()
        self._to_save = asyncio.Event()
        self._evaluated_at: float | None = None
        self._saved: tuple[Any, ...] = ()
        self._saved_at = self._started
        self._facts: dict[str, Any] = {}
        self._history: dict[str, Any] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._publish_snapshot()
        dispatcher.on_delivered = self._to_save.set
        instruments.watch_alerts(lambda: self._counts, lambda: self._charge.by == "in_process")

    async def run(self, ready: Callable[[], None]) -> None:
        """Work until cancelled; `ready` is called after the first evaluation. The state is saved at the end."""
        await self.restore()
        for problem in self._rules.problems:
            logger.warning("alert rules: %s", problem)
        try:
            await self.poll_prometheus()
            await self.evaluate()
            await self.notify()
            ready()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._dispatcher.run(self._supervisor))
                parts = {
                    "evaluating alert rules": self._evaluate_loop,
                    "handing alerts on": self._notify_loop,
                    "saving alerts": self._save_loop,
                    "watching Prometheus": self._poll_loop,
                }
                for name, part in parts.items():
                    if part != self._poll_loop or self._prometheus is not None:
                        tasks.create_task(self._supervisor.keep(name, part))
        finally:
            await self.save(at_end=True)
            if self._election is not None:
                await self._election.close()
            if self._state_file is not None:
                self._state_file.close()
            await self._dispatcher.aclose()

    def facts(self) -> dict[str, Any]:
        """The alerts: `{evaluated_by, since, summary, active, problems}`."""
        return self._facts

    def history_facts(self) -> dict[str, Any]:
        """What they did of late: `{events, kept, dropped}`."""
        return self._history

    def health_facts(self) -> dict[str, Any]:
        """How alerting itself does.

        `{evaluated_by, last_evaluation_age, interval, problems, failed_parts}`, in seconds, and what `delivery_facts`
        gives; `problems` are mistakes in rule files, what went wrong at the last evaluation and series that were too
        many, one line each.
        """
        problems = [str(problem) for problem in self._rules.problems] + list(self._rounds.errors)
        age = None if self._evaluated_at is None else self._now() - self._evaluated_at
        return {
            "evaluated_by": self._charge.by,
            "last_evaluation_age": age,
            "interval": self._interval,
            "problems": problems,
            "failed_parts": self._supervisor.problems,
            **delivery_facts(self._dispatcher.facts()),
        }

    async def resolve(self, fingerprint: str) -> bool:
        """A person says that an alert is over; it is, until it would fire anew. False when it does not fire."""
        event = self._store.resolve(fingerprint, self._now())
        if event is not None:
            self._resolved(event)
            if self._election is not None:
                await self._election.resolved(fingerprint, self._now())
        return self._store.resolved_by_hand(fingerprint)

    async def evaluate(self) -> None:
        """Gather samples, evaluate what is due, and take over what came of it."""
        if self._samples is not None:
            await self._samples.exchange()
        self._rounds.evaluate(self._now())
        self._rounds.adopt(self._their_since)
        self._evaluated_at = self._now()
        self._reconcile()
        self._news.set()

    async def poll_prometheus(self) -> None:
        """Ask Prometheus what it evaluates, if there is one."""
        if self._prometheus is None or self._watch is None:
            return
        try:
            groups = await self._prometheus.look()
        except NoAnswerError as error:
            self._watch.missed(str(error))
        else:
            self._watch.saw(groups, self._now())
        self._reconcile()

    async def notify(self) -> None:
        """Hand the alerts as they stand to whoever tells people of them, and keep the state."""
        if self._election is None:
            self._dispatcher.update(self._store.to_tell, sent_elsewhere=self._sent_by_prometheus())
        else:
            await self._sync_replicas(self._election)
            alerts = self._store.to_tell
            await self._election.publish(alerts)
            leads = self._election.is_leader
            merged = await self._election.merge(alerts) if leads else None
            self._dispatcher.update(merged, sent_elsewhere=self._sent_by_prometheus())
        await self.save()

    async def restore(self) -> None:
        """Take over what a process before this one saved. What can't be used of it is said, and costs only itself."""
        data: dict[str, Any] = {}
        if self._election is not None:
            data = await self._election.load()
        elif self._state_file is not None:
            data = self._state_file.load()
        if not data:
            return
        names = {rule.name for group in self._rules.groups for rule in group.rules if isinstance(rule, AlertingRule)}
        self._store.restore(data.get("alerts"), lambda alert: alert.name in names)
        try:
            self._rounds.restore(data["groups"], self._now())
            by = data["evaluated_by"]
            self._charge.restore("prometheus" if by == "prometheus" else "in_process", float(data["since"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            logger.warning("the saved state of the rules can't be read (%s): it begins anew", type(error).__name__)
        if self._election is None or self._election.is_leader:
            self._dispatcher.restore(data.get("delivery"))
        if self._charge.by == "in_process":
            until = self._started + UNKNOWN_SECONDS
            self._held = {alert.fingerprint: (alert, until) for alert in self._unseen_locally()}
        self._publish_snapshot()

    async def save(self, *, at_end: bool = False) -> None:
        """Write the state if it has changed in a way that matters after a restart."""
        if self._state_file is None and self._election is None:
            return
        now, delivery = self._now(), self._dispatcher.to_json()
        alerts = (self._rounds.alerts, self._store.to_tell)
        matters = (self._charge.by, *(_steps(each) for each in alerts), delivery["log"])
        active = any(alert.severity != "none" and alert.state != "resolved" for each in alerts for alert in each)
        outdated = active and now - self._saved_at > ACTIVE_SAVED_SECONDS
        if not at_end and matters == self._saved and not outdated:
            return
        state = {
            "evaluated_by": self._charge.by,
            "since": self._charge.since,
            "groups": self._rounds.to_json(),
            "alerts": self._store.to_json(),
            "delivery": delivery,
        }
        saved = True
        if self._election is not None:
            saved = await self._election.save(state)
        elif self._state_file is not None:
            self._state_file.save(state)
        if saved:
            self._saved, self._saved_at = matters, now

    async def _evaluate_loop(self) -> None:
        while True:
            await self._sleep(max(0.0, min(self._rounds.next_due - self._now(), LONGEST_PAUSE_SECONDS)))
            await self.evaluate()

    async def _poll_loop(self) -> None:
        shortest = min((group.interval for group in self._rules.groups), default=LONGEST_PAUSE_SECONDS)
        while True:
            await self._sleep(min(shortest / 2, LONGEST_PAUSE_SECONDS))
            await self.poll_prometheus()

    async def _notify_loop(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self.notify()

    async def _save_loop(self) -> None:
        while True:
            saving = asyncio.ensure_future(self._to_save.wait())
            waiting = asyncio.ensure_future(self._sleep(SAVE_SECONDS))
            try:
                await asyncio.wait((saving, waiting), return_when=asyncio.FIRST_COMPLETED)
            finally:
                saving.cancel()
                waiting.cancel()
            self._to_save.clear()
            if self._election is not None:
                await self._sync_replicas(self._election)
            await self.save()

    def _sent_by_prometheus(self) -> Collection[str]:
        """Those that Prometheus sends to Alertmanager itself: what fires. What has ended it may have forgotten."""
        if self._watch is None or self._charge.by != "prometheus":
            return frozenset()
        return frozenset(alert.fingerprint for alert in self._watch.alerts if alert.state == "firing")

    def _reconcile(self) -> None:
        """Decide who is in charge, and take over the alerts of whoever that is."""
        now = self._now()
        change = self._charge.decide(self._rounds.alerts, now)
        if change is not None:
            self._changed(change, now)
        if self._watch is not None and self._charge.by == "prometheus":
            active: Sequence[Alert] = self._watch.alerts
            # So that an alert that is pending there fires here on time, should Prometheus go.
            self._their_since = {alert.fingerprint: alert.active_at for alert in active}
        else:
            active = self._local_alerts(now)
            if now - self._charge.since > JUDGING_INTERVALS * self._interval:
                self._their_since = {}
        for event in self._store.update(active, now):
            _log(event)
        self._publish_snapshot()

    def _resolved(self, event: Event) -> None:
        _log(event)
        self._publish_snapshot()
        self._news.set()
        self._to_save.set()

    async def _sync_replicas(self, election: LeaderElection) -> None:
        """Hear which alerts people resolved at other replicas, and who is to tell people: this one from now on, with
        what the one before knew, or another one."""
        for fingerprint in await election.resolved_elsewhere(self._store.firing):
            event = self._store.resolve(fingerprint, self._now())
            if event is not None:
                self._resolved(event)
        led = election.is_leader
        if await election.renew():
            self._dispatcher.restore(election.latest().get("delivery", {"log": []}))
            self._news.set()
        elif led and not election.is_leader:
            self._dispatcher.update(None)

    def _changed(self, change: Change, now: float) -> None:
        who = "this server" if change.to == "in_process" else "Prometheus"
        logger.info("alert rules are evaluated by %s: %s", who, change.reason)
        self._held = {}
        self._news.set()
        if change.to == "in_process":
            for alert in self._unseen_locally():
                judged = max(
                    self._started + self._rounds.hold_seconds(alert.name), now + JUDGING_INTERVALS * self._interval
                )
                until = judged if self._rounds.can_judge(alert.name, now) else now + UNKNOWN_SECONDS
                self._held[alert.fingerprint] = (alert, until)

    def _unseen_locally(self) -> list[Alert]:
        """Alerts that fire, by Prometheus, and here not yet: this server may not have what it takes to see it."""
        ours = {alert.fingerprint for alert in self._rounds.alerts if alert.state == "firing"}
        return [alert for alert in self._store.active if alert.state == "firing" and alert.fingerprint not in ours]

    def _local_alerts(self, now: float) -> Sequence[Alert]:
        """The alerts by this server's evaluation, and those of Prometheus that it can't judge yet."""
        alerts = {alert.fingerprint: alert for alert in self._rounds.alerts}
        for key, (alert, until) in list(self._held.items()):
            known = alerts.get(key)
            if now >= until or (known is not None and known.state == "firing"):
                del self._held[key]
            else:
                alerts[key] = alert
        return list(alerts.values())

    def _publish_snapshot(self) -> None:
        problems = [str(problem) for problem in self._rules.problems]
        self._facts = alerts_facts(
            self._store, evaluated_by=self._charge.by, since=self._charge.since, problems=problems
        )
        self._history = history_facts(self._store)
        counts: dict[tuple[str, str], int] = dict.fromkeys(product(SEVERITIES, ("pending", "firing")), 0)
        for alert in self._store.active:
            if not self._store.resolved_by_hand(alert.fingerprint):
                counts[alert.severity, alert.state] += 1
        self._counts = counts


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
