"""One evaluation of one group, as Prometheus does it. Pure: samples, time and state in; state, samples and alerts out.

Rules are evaluated in order; what a recording rule gives is seen by the rules after it, and by other groups once the
caller has stored it. An alert is pending until its expression has held for `for`, fires as long as it holds and
`keep_firing_for` longer, and is kept as resolved for 15 minutes. A rule that fails leaves its alerts as they were.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.group_state import HOLD_SECONDS, GroupState, keyed
from libraries_io_mcp.alerting.overlay import Overlay
from libraries_io_mcp.alerting.promql import STALE, Expression, PromQLError, Sample, Storage
from libraries_io_mcp.alerting.rule import AlertingRule, Group, RecordingRule

RESOLVED_SECONDS: Final = 900.0
"""How long a resolved alert is kept, so that it can be told again."""

Labels = Mapping[str, str]
Key = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RuleError:
    """A rule that could not be evaluated this time."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it.

    Attributes:
        state: for the next evaluation of the group.
        time: of the samples: `now` less the group's query offset.
        samples: labels with `__name__`, and value: recording rules, `ALERTS` and `ALERTS_FOR_STATE`, and a stale marker
            for each series that a rule gave last time and gives no more. To be stored at `time` as they are.
        alerts: all of the group, in the order of the rules: pending, firing and resolved ones.
        errors: of the rules that failed.
    """

    state: GroupState
    time: float
    samples: list[tuple[Labels, float]]
    alerts: tuple[Alert, ...]
    errors: tuple[RuleError, ...]


class _RuleFailed(Exception):  # noqa: N818 - what happened, not whose fault
    """The message says why; `clears` that the rule's alerts go with it."""

    def __init__(self, message: str, *, clears: bool = False) -> None:
        super().__init__(message)
        self.clears = clears


def evaluate(group: Group, storage: Storage, now: float, state: GroupState) -> Evaluation:
    """Evaluate every rule of a group once.

    Args:
        group: its rules.
        storage: the samples until now.
        now: seconds since 1970.
        state: what the last evaluation gave, or `GroupState()`; after a restart `state.restored(group, now)`.
    """
    # Samples are kept to the millisecond, and a rule must see what the one before it gave.
    time = round((now - group.query_offset_seconds) * 1000) / 1000
    overlay = Overlay(storage, time)
    alerts: dict[str, tuple[Alert, ...]] = {}
    series: dict[str, tuple[Labels, ...]] = {}
    errors: list[RuleError] = []
    for key, rule in keyed(group.rules):
        known = state.alerts.get(key, ())
        try:
            if isinstance(rule, RecordingRule):
                samples = _record(rule, overlay, time, group.limit)
            else:
                known = _after(rule, overlay, time, now, known, _held_until(rule, state), group.limit)
                samples = _synthetic(rule, known)
        except (_RuleFailed, PromQLError) as error:
            errors.append(RuleError(key.rpartition("#")[0], str(error)))
            clears = isinstance(error, _RuleFailed) and error.clears
            alerts[key], series[key] = () if clears else known, tuple(state.series.get(key, ()))
            continue
        series[key] = tuple(labels for labels, _value in samples)
        alerts[key] = known
        overlay.add(samples)
        overlay.add(_stale(state.series.get(key, ()), series[key]))
    return Evaluation(
        GroupState(now, alerts, series, state.restored_at),
        time,
        overlay.added(),
        tuple(alert for found in alerts.values() for alert in found),
        tuple(errors),
    )


def _vector(expression: Expression, storage: Storage, time: float) -> Sequence[Sample]:
    found = expression.at(storage, time)
    return [Sample({}, found)] if isinstance(found, float) else found


def _record(rule: RecordingRule, storage: Storage, time: float, limit: int) -> list[tuple[Labels, float]]:
    samples: list[tuple[Labels, float]] = []
    for sample in _vector(rule.expression, storage, time):
        labels = {**sample.labels, "__name__": rule.record, **rule.labels}
        samples.append(({name: value for name, value in labels.items() if value}, sample.value))
    if len({_key(labels) for labels, _value in samples}) < len(samples):
        raise _RuleFailed("vector contains metrics with the same labelset after applying rule labels")
    if 0 < limit < len(samples):
        raise _RuleFailed(f"exceeded limit of {limit} with {len(samples)} series")
    return samples


def _after(
    rule: AlertingRule,
    storage: Storage,
    time: float,
    now: float,
    known: Sequence[Alert],
    held_until: float,
    limit: int,
) -> tuple[Alert, ...]:
    """The rule's alerts after this evaluation."""
    found = _found(rule, storage, time, now)
    alerts: list[Alert] = []
    for alert in known:
        present = found.get(_key(alert.labels))
        if present is None:
            after = _absent(rule, alert, now, held=now < held_until)
        elif alert.state == "resolved":
            continue
        else:
            del found[_key(alert.labels)]
            seen = replace(alert, value=present.value, annotations=present.annotations, keep_firing_since=None)
            after = _in_time(rule, seen, now)
        if after is not None:
            alerts.append(after)
    alerts.extend(_in_time(rule, alert, now) for alert in found.values())
    active = sum(alert.state != "resolved" for alert in alerts)
    if 0 < limit < active:
        raise _RuleFailed(f"exceeded limit of {limit} with {active} alerts", clears=True)
    return tuple(alerts)


def _found(rule: AlertingRule, storage: Storage, time: float, now: float) -> dict[Key, Alert]:
    """A new pending alert for each sample of the expression."""
    found: dict[Key, Alert] = {}
    for sample in _vector(rule.expression, storage, time):
        expanded = {name: template.expand(sample.labels, sample.value) for name, template in rule.labels.items()}
        labels = {**sample.labels, "__name__": "", **expanded, "alertname": rule.name}
        labels = {name: value for name, value in sorted(labels.items()) if value}
        annotations = {name: each.expand(sample.labels, sample.value) for name, each in rule.annotations.items()}
        if _key(labels) in found:
            raise _RuleFailed("vector contains metrics with the same labelset after applying alert labels")
        found[_key(labels)] = Alert(labels, annotations, sample.value, "pending", now)
    return found


def _absent(rule: AlertingRule, alert: Alert, now: float, *, held: bool) -> Alert | None:
    """An alert whose expression does not hold any more."""
    if alert.state == "resolved":
        return alert if now - (alert.resolved_at or now) <= RESOLVED_SECONDS else None
    if held:
        return alert
    if alert.state == "pending":
        return None
    if rule.keep_firing_seconds:
        since = now if alert.keep_firing_since is None else alert.keep_firing_since
        alert = replace(alert, keep_firing_since=since)
        if now - since < rule.keep_firing_seconds:
            return _in_time(rule, alert, now)
    return replace(alert, state="resolved", resolved_at=now)


def _in_time(rule: AlertingRule, alert: Alert, now: float) -> Alert:
    """Pending or firing, by how long the expression has held."""
    long_enough = now - alert.active_at >= rule.for_seconds
    if alert.state == "pending" and long_enough:
        return replace(alert, state="firing", fired_at=now)
    if alert.state == "firing" and not long_enough:
        # The rule's `for` has become longer meanwhile.
        return replace(alert, state="pending", fired_at=None, keep_firing_since=None)
    return alert


def _held_until(rule: AlertingRule, state: GroupState) -> float:
    # After a restart the samples of before are gone, so for a while no answer does not mean that all is well.
    if state.restored_at is None:
        return 0.0
    return state.restored_at + min(rule.expression.range_seconds, HOLD_SECONDS)


def _synthetic(rule: AlertingRule, alerts: Iterable[Alert]) -> list[tuple[Labels, float]]:
    samples: list[tuple[Labels, float]] = []
    for alert in alerts:
        if alert.state != "resolved":
            # As in Prometheus, a label whose template gave nothing shows the template here.
            labels = {**{name: template.text for name, template in rule.labels.items()}, **alert.labels}
            samples.append(({**labels, "__name__": "ALERTS", "alertstate": alert.state}, 1.0))
            samples.append(({**labels, "__name__": "ALERTS_FOR_STATE"}, float(int(alert.active_at))))
    return samples


def _stale(before: Iterable[Labels], given: Iterable[Labels]) -> list[tuple[Labels, float]]:
    now_given = {_key(labels) for labels in given}
    return [(labels, STALE) for labels in before if _key(labels) not in now_given]


def _key(labels: Labels) -> Key:
    return frozenset(labels.items())
