"""The evaluator of a group. The life of alerts is also in promtool/tests.yml, which promtool itself runs."""

from pathlib import Path

import pytest
from tests.unit.alerting.rule_texts import Evaluations, group_of

from libraries_io_mcp.alerting.evaluator import RESOLVED_SECONDS
from libraries_io_mcp.alerting.promql import is_stale

HOT = "- {alert: Hot, expr: t > 30, for: 30s, labels: {severity: high}, annotations: {summary: '{{ $value }}'}}"


@pytest.fixture
def hot(tmp_path: Path) -> Evaluations:
    return Evaluations(group_of(tmp_path, HOT))


def test_pending_then_firing_then_resolved(hot: Evaluations) -> None:
    assert hot.alert({"t": 20}) is None
    began = hot.now + 15
    pending = hot.alert({"t": 31})
    assert pending is not None
    assert (pending.state, pending.active_at, pending.fired_at, pending.value) == ("pending", began, None, 31)
    assert pending.labels == {"alertname": "Hot", "severity": "high"}
    assert hot.alert({"t": 32}).state == "pending"
    firing = hot.alert({"t": 33})
    assert (firing.state, firing.active_at, firing.fired_at) == ("firing", began, began + 30)
    assert firing.annotations == {"summary": "33"}
    resolved = hot.alert({"t": 20})
    assert (resolved.state, resolved.resolved_at, resolved.fired_at) == ("resolved", began + 45, began + 30)
    assert (resolved.value, resolved.annotations) == (33, {"summary": "33"})


def test_an_alert_that_only_changes_its_value_stays_the_same_alert(hot: Evaluations) -> None:
    for value in (31, 32, 33):
        firing = hot.alert({"t": value})
    later = hot.alert({"t": 99})
    assert (later.fingerprint, later.fired_at, later.active_at) == (
        firing.fingerprint,
        firing.fired_at,
        firing.active_at,
    )
    assert (later.value, later.annotations) == (99, {"summary": "99"})


def test_a_pending_alert_that_stops_is_forgotten(hot: Evaluations) -> None:
    assert hot.alert({"t": 31}).state == "pending"
    assert hot.alert({"t": 20}) is None


def test_a_resolved_alert_is_kept_for_a_quarter_of_an_hour(hot: Evaluations) -> None:
    for value in (31, 31, 31, 20):
        resolved = hot.alert({"t": value})
    assert hot.alert({"t": 20}, RESOLVED_SECONDS) == resolved
    assert hot.alert({"t": 20}, 1) is None


def test_an_alert_that_comes_back_is_a_new_one(hot: Evaluations) -> None:
    for value in (31, 31, 31, 20):
        hot.step({"t": value})
    again = hot.alert({"t": 35})
    assert (again.state, again.active_at, again.resolved_at) == ("pending", hot.now, None)


def test_keep_firing_for(tmp_path: Path) -> None:
    evaluations = Evaluations(group_of(tmp_path, "- {alert: Hot, expr: t > 30, keep_firing_for: 30s}"))
    assert evaluations.alert({"t": 31}).state == "firing"
    kept = evaluations.alert({"t": 20})
    assert (kept.state, kept.keep_firing_since) == ("firing", evaluations.now)
    back = evaluations.alert({"t": 31})
    assert (back.state, back.keep_firing_since) == ("firing", None)
    assert [evaluations.alert({"t": 20}).state for _ in range(3)] == ["firing", "firing", "resolved"]


def test_a_longer_for_makes_a_young_alert_pending_again(tmp_path: Path) -> None:
    before = Evaluations(group_of(tmp_path, "- {alert: Hot, expr: t > 30}"))
    before.step({"t": 31})
    after = Evaluations(group_of(tmp_path, "- {alert: Hot, expr: t > 30, for: 1m}"), before.state, before.now)
    assert (alert := after.alert({"t": 31})) is not None
    assert (alert.state, alert.fired_at) == ("pending", None)


def test_recording_rules_are_seen_by_the_rules_after_them(tmp_path: Path) -> None:
    evaluations = Evaluations(
        group_of(
            tmp_path,
            """
            - {alert: Early, expr: "twice:t > 0"}
            - {record: "twice:t", expr: 2 * t, labels: {by: rule}}
            - {alert: Late, expr: "twice:t > 0"}
            """,
        )
    )
    first = evaluations.step({"t": 4})
    assert [(alert.name, alert.value, alert.labels["by"]) for alert in first.alerts] == [("Late", 8, "rule")]
    assert ({"__name__": "twice:t", "by": "rule"}, 8.0) in first.samples
    assert [alert.name for alert in evaluations.step({"t": 4}).alerts] == ["Early", "Late"]


def test_alerts_as_series(hot: Evaluations) -> None:
    labels = {"alertname": "Hot", "severity": "high"}
    pending = ({"__name__": "ALERTS", "alertstate": "pending", **labels}, 1.0)
    state = ({"__name__": "ALERTS_FOR_STATE", **labels}, 15.0)
    assert hot.step({"t": 31}).samples == [pending, state]
    hot.step({"t": 31})
    firing, still, (ended, marker) = hot.step({"t": 31}).samples
    assert firing == ({"__name__": "ALERTS", "alertstate": "firing", **labels}, 1.0)
    assert still == state
    assert ended == pending[0]
    assert is_stale(marker)
    assert [(labels["__name__"], is_stale(value)) for labels, value in hot.step({"t": 20}).samples] == [
        ("ALERTS", True),
        ("ALERTS_FOR_STATE", True),
    ]
    assert hot.step({"t": 20}).samples == []


FAILING = """
- {alert: Hot, expr: t > 30}
- {alert: Bad, expr: sum by (job) (t) > 0, labels: {on: same}}
- {record: "up:copy", expr: t}
"""


def test_a_rule_that_fails_keeps_its_alerts_and_stops_no_other_rule(tmp_path: Path) -> None:
    group = group_of(tmp_path, FAILING.replace("sum by (job) (t)", "t"))
    evaluations = Evaluations(group)
    assert {alert.name for alert in evaluations.step({"t{a}": 31}).alerts} == {"Hot", "Bad"}
    failed = evaluations.step({"t{a}": 31, "t{b}": 31})
    (error,) = failed.errors
    assert (error.rule, error.message) == (
        "Bad",
        "vector contains metrics with the same labelset after applying alert labels",
    )
    assert sorted((alert.name, alert.labels["on"]) for alert in failed.alerts) == [
        ("Bad", "same"),
        ("Hot", "a"),
        ("Hot", "b"),
    ]
    names = [labels["__name__"] for labels, value in failed.samples if not is_stale(value)]
    assert names.count("up:copy") == 2
    assert not [labels for labels, value in failed.samples if is_stale(value)]
    assert evaluations.step({"t{a}": 31, "t{b}": 0}).errors == ()


def test_many_to_many_is_the_rules_error(tmp_path: Path) -> None:
    evaluations = Evaluations(group_of(tmp_path, "- {record: x, expr: a / on () b}\n- {record: y, expr: a}"))
    evaluation = evaluations.step({"a{1}": 1, "a{2}": 1, "b{1}": 1, "b{2}": 1})
    (error,) = evaluation.errors
    assert error.rule == "x"
    assert "many-to-many" in error.message
    assert {labels["__name__"] for labels, _value in evaluation.samples} == {"y"}


def test_recorded_series_must_differ(tmp_path: Path) -> None:
    evaluations = Evaluations(group_of(tmp_path, "- {record: x, expr: t, labels: {on: same}}"))
    evaluation = evaluations.step({"t{1}": 1, "t{2}": 1})
    assert evaluation.samples == []
    assert "same labelset" in evaluation.errors[0].message


def test_a_limit(tmp_path: Path) -> None:
    rules = "- {alert: Hot, expr: t > 30}\n- {record: copy, expr: t}"
    evaluations = Evaluations(group_of(tmp_path, rules, "limit: 2"))
    assert len(evaluations.step({"t{1}": 31, "t{2}": 31}).alerts) == 2
    over = evaluations.step({"t{1}": 31, "t{2}": 31, "t{3}": 31})
    assert over.alerts == ()
    assert [error.message for error in over.errors] == [
        "exceeded limit of 2 with 3 alerts",
        "exceeded limit of 2 with 3 series",
    ]


def test_a_query_offset(tmp_path: Path) -> None:
    evaluations = Evaluations(group_of(tmp_path, "- {record: copy, expr: t}", "query_offset: 15s"))
    assert evaluations.step({"t": 1}).samples == []
    evaluation = evaluations.step({"t": 2})
    assert evaluation.samples == [({"__name__": "copy"}, 1.0)]
    assert evaluation.time == evaluations.now - 15


def test_a_label_whose_template_gives_nothing_is_left_out(tmp_path: Path) -> None:
    rule = "- {alert: Hot, expr: t > 30, labels: {room: '{{ $labels.room }}', of: '{{ $labels.on }}'}}"
    evaluations = Evaluations(group_of(tmp_path, rule))
    (alert,) = evaluations.step({"t{a}": 31}).alerts
    assert alert.labels == {"alertname": "Hot", "on": "a", "of": "a"}


def test_moments_between_milliseconds(tmp_path: Path) -> None:
    rules = "- {record: x, expr: t}\n- {record: y, expr: x}"
    evaluations = Evaluations(group_of(tmp_path, rules), now=1_750_000_000.000_449_9)
    for _ in range(20):
        names = [labels["__name__"] for labels, _value in evaluations.step({"t": 1}, 14.999_333_3).samples]
        assert names == ["x", "y"]
