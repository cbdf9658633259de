"""Evaluates each group of rules at its interval, over samples of this process that are gathered beside it."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.evaluator import evaluate
from libraries_io_mcp.alerting.group_state import HOLD_SECONDS, GroupState
from libraries_io_mcp.alerting.promql import LOOKBACK_SECONDS, Matcher, Series
from libraries_io_mcp.alerting.promql.model import NAME
from libraries_io_mcp.alerting.rule import AlertingRule, Group, RecordingRule
from libraries_io_mcp.alerting.samples import SampleStore
from libraries_io_mcp.telemetry.instruments import Instruments

MOST_SERIES: Final = 5_000
"""Ten times what a busy server has. Ten groups' recorded series may come to as many again."""
MOST_RECORDED_SERIES: Final = 500
"""Of one group."""
SET_BACK_SECONDS: Final = 1.0
"""A clock that goes back by less only makes the next evaluation late."""
MARGIN_SECONDS: Final = 60.0
"""Samples are kept so much longer than any rule looks back: an evaluation may come late."""

Samples = Iterable[tuple[Mapping[str, str], float]]

logger: Final = logging.getLogger(__name__)


class Rounds:
    """The groups with their states, and what they look at. A failure is counted and said, never raised."""

    def __init__(
        self,
        groups: Sequence[Group],
        collect: Callable[[], Samples],
        instruments: Instruments,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._groups = {_key(group): group for group in groups}
        self._collect = collect
        self._instruments = instruments
        self._monotonic = monotonic
        self._open_stores()
        self._states = {key: GroupState() for key in self._groups}
        self._alerts: dict[str, tuple[Alert, ...]] = {}
        self._due: dict[str, float] = {}
        self._said: dict[str, str] = {}
        self._last = -math.inf

    def _open_stores(self) -> None:
        needs = metrics_needed(self._groups.values())
        keep = max(needs.values(), default=LOOKBACK_SECONDS) + MARGIN_SECONDS
        wanted = None if None in needs else {name: needs[name] + MARGIN_SECONDS for name in needs if name is not None}
        # As in Prometheus no series ends by itself: neither what comes by OTLP, nor what a rule gave before it failed.
        self._gathered = SampleStore(keep, MOST_SERIES, wanted, ends_missing=False)
        # A store of its own for each group: what a rule gives no more must not end the series of others.
        self._given = {key: SampleStore(keep, MOST_RECORDED_SERIES, wanted, ends_missing=False) for key in self._groups}
        self._storage = _Together((self._gathered, *self._given.values()))

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Pending and firing, by the last evaluation of each group."""
        return tuple(each for alerts in self._alerts.values() for each in alerts if each.state != "resolved")

    @property
    def next_due(self) -> float:
        """When a group is due next, seconds since 1970; infinity without groups."""
        return min((self._due.get(key, 0.0) for key in self._groups), default=math.inf)

    @property
    def errors(self) -> tuple[str, ...]:
        """What went wrong at the last evaluation of each group, and what was not taken in; one line each."""
        stores = {
            "samples": self._gathered,
            **{f"group {self._groups[key].name}": each for key, each in self._given.items()},
        }
        refused = (f"{what}: {each.refused} series too many" for what, each in stores.items() if each.refused)
        return (*self._said.values(), *refused)

    @property
    def series(self) -> int:
        """Series that are kept."""
        return self._storage.series

    def evaluate(self, now: float) -> None:
        """Gather samples and evaluate the groups that are due."""
        if now < self._last - SET_BACK_SECONDS:
            self._begin_anew(now)
        self._last = now
        due = [key for key in self._groups if self._due.get(key, 0.0) <= now]
        if not due:
            return
        for key in due:
            self._due[key] = _next(self._due.get(key, now), self._groups[key].interval, now)
        if not self._watched("samples", lambda: self._gathered.append(now, self._collect())):
            return
        for key in due:
            self._evaluate(key, now)

    def adopt(self, since: Mapping[str, float]) -> None:
        """Take over since when expressions hold, by fingerprint, from somebody who saw it earlier."""
        for key, state in self._states.items():
            if any(_earlier(alert, since) for found in state.alerts.values() for alert in found):
                alerts = {rule: tuple(_adopted(each, since) for each in found) for rule, found in state.alerts.items()}
                self._states[key] = replace(state, alerts=alerts)

    def can_judge(self, name: str, now: float) -> bool:
        """Whether this process has any of the series that the alert's rules look at, if they look at any."""
        rules = [rule for group in self._groups.values() for rule in group.rules]
        needs = [rule.expression.needs for rule in rules if isinstance(rule, AlertingRule) and rule.name == name]
        recorded = {rule.record: rule.expression.needs for rule in rules if isinstance(rule, RecordingRule)}
        names = _leaves({each for found in needs for each in found if each is not None}, recorded)
        matchers = ([Matcher(NAME, "=", each)] for each in names)
        return not names or any(self._gathered.select(each, -math.inf, now) for each in matchers)

    def hold_seconds(self, name: str) -> float:
        """How long after a start the alert's rules have too few samples to judge by."""
        rules = (rule for group in self._groups.values() for rule in group.rules)
        named = (rule for rule in rules if isinstance(rule, AlertingRule) and rule.name == name)
        return min(max((rule.expression.range_seconds for rule in named), default=0.0), HOLD_SECONDS)

    def to_json(self) -> dict[str, Any]:
        """For the state file."""
        return {key: state.to_json() for key, state in self._states.items() if any(state.alerts.values())}

    def restore(self, data: Mapping[str, Any], now: float) -> None:
        """Take over what `to_json` gave, for the groups that are still there.

        Raises:
            TypeError, ValueError: it is something else.
        """
        states = {key: GroupState.from_json(data[key]) for key in self._groups if key in data}
        for key, state in states.items():
            self._states[key] = state.restored(self._groups[key], now)
            self._alerts[key] = tuple(each for found in self._states[key].alerts.values() for each in found)

    def _begin_anew(self, now: float) -> None:
        """The clock was set back: what it said before can't be compared any more. Alerts go on as after a restart."""
        logger.warning("alerting: the clock was set back by %.0f s; samples are gathered anew", self._last - now)
        self._open_stores()
        self._due.clear()
        back = self._last - now
        for key, state in self._states.items():
            alerts = {rule: tuple(_moved(each, back) for each in found) for rule, found in state.alerts.items()}
            moved = replace(state, evaluated_at=now, alerts=alerts)
            self._states[key] = moved.restored(self._groups[key], now)

    def _evaluate(self, key: str, now: float) -> None:
        group = self._groups[key]
        started = self._monotonic()

        def evaluate_group() -> None:
            evaluation = evaluate(group, self._storage, now, self._states[key])
            self._states[key] = evaluation.state
            self._alerts[key] = evaluation.alerts
            self._given[key].append(evaluation.time, evaluation.samples)
            if evaluation.errors:
                raise _RulesFailedError("; ".join(f"{error.rule}: {error.message}" for error in evaluation.errors))

        fine = self._watched(f"group {group.name}", evaluate_group)
        self._instruments.alert_evaluation(self._monotonic() - started, failed=not fine)

    def _watched(self, what: str, work: Callable[[], None]) -> bool:
        """Whether the work succeeded; why it did not is said once, until something else goes wrong with it."""
        try:
            work()
        except Exception as error:
            # Anything: a rule, a metric or a clock that jumped must not end alerting.
            said = f"{what}: {error if isinstance(error, _RulesFailedError) else type(error).__name__}"
            if self._said.get(what) != said:
                logger.warning("alerting: %s", said, exc_info=not isinstance(error, _RulesFailedError))
            self._said[what] = said
            return False
        self._said.pop(what, None)
        return True


def metrics_needed(groups: Iterable[Group]) -> dict[str | None, float]:
    """How far all rules together look back, in seconds, by metric. Under `None`: at any metric."""
    needs: dict[str | None, float] = {}
    for group in groups:
        for rule in group.rules:
            for name, reach in rule.expression.needs.items():
                needs[name] = max(needs.get(name, 0.0), reach + group.query_offset_seconds)
    return needs


class _RulesFailedError(Exception):
    """Some rules of a group could not be evaluated; the text says which and why."""


class _Together:
    """Several stores as one."""

    def __init__(self, stores: Sequence[SampleStore]) -> None:
        self._stores = stores

    @property
    def series(self) -> int:
        """In all of them."""
        return sum(store.series for store in self._stores)

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Sequence[Series]:
        """What each of them finds."""
        return [series for store in self._stores for series in store.select(matchers, start, end)]


def _earlier(alert: Alert, since: Mapping[str, float]) -> bool:
    return alert.state == "pending" and since.get(alert.fingerprint, math.inf) < alert.active_at


def _adopted(alert: Alert, since: Mapping[str, float]) -> Alert:
    return replace(alert, active_at=since[alert.fingerprint]) if _earlier(alert, since) else alert


def _moved(alert: Alert, back: float) -> Alert:
    """The alert with its times as the clock would have said then, had it been set back before."""
    moments = {name: getattr(alert, name) for name in ("active_at", "fired_at", "resolved_at", "keep_firing_since")}
    return replace(alert, **{name: at - back for name, at in moments.items() if at is not None})


def _leaves(names: set[str], recorded: Mapping[str, Mapping[str | None, float]]) -> set[str]:
    """The metrics behind these names, where rules record them from others."""
    found: set[str] = set()
    open_names = set(names)
    while open_names:
        name = open_names.pop()
        found.add(name)
        open_names |= {each for each in recorded.get(name, {}) if each is not None} - found
    return found - set(recorded)


def _next(due: float, interval: float, now: float) -> float:
    """The next moment of the group's own rhythm after `now`: what was missed is not made up for."""
    return due + interval * (math.floor(max(0.0, now - due) / interval) + 1)


def _key(group: Group) -> str:
    return f"{Path(group.file).name}/{group.name}"
