"""What survives a restart: neither is anything resolved by it, nor told again."""

import json
from pathlib import Path

import pytest
from tests.unit.alerting.rule_texts import Evaluations, group_of

from libraries_io_mcp.alerting.group_state import GRACE_SECONDS, HOLD_SECONDS, OUTAGE_TOLERANCE_SECONDS, GroupState
from libraries_io_mcp.alerting.rules import Group


def restarted(before: Evaluations, *, down: float, group: Group | None = None) -> Evaluations:
    """The same group in a new process without any samples, `down` seconds later."""
    group = group or before.group
    state = GroupState.from_json(json.loads(json.dumps(before.state.to_json())))
    now = before.now + down
    return Evaluations(group, state.restored(group, now), now)


def firing(folder: Path) -> Evaluations:
    evaluations = Evaluations(group_of(folder, "- {alert: Hot, expr: t > 30, annotations: {a: '{{ $value }}'}}"))
    assert evaluations.alert({"t": 31}).state == "firing"
    return evaluations


@pytest.mark.parametrize("down", [1, 100_000])
def test_a_firing_alert_is_not_told_again_when_it_still_holds(tmp_path: Path, down: float) -> None:
    before = firing(tmp_path)
    (known,) = before.state.alerts["Hot#1"]
    after = restarted(before, down=down)
    again = after.alert({"t": 32})
    assert (again.state, again.fired_at, again.active_at) == ("firing", known.fired_at, known.active_at)
    assert again.annotations == {"a": "32"}


@pytest.mark.parametrize("down", [1, 100_000])
def test_a_firing_alert_is_held_until_there_are_samples_to_judge_by(tmp_path: Path, down: float) -> None:
    after = restarted(firing(tmp_path), down=down)
    began = after.now
    while after.now - began < 285:  # the expression looks back for five minutes
        assert after.alert().state == "firing"
    resolved = after.alert()
    assert (resolved.state, resolved.resolved_at) == ("resolved", began + 300)


def test_it_is_held_for_ten_minutes_at_most(tmp_path: Path) -> None:
    before = Evaluations(group_of(tmp_path, "- {alert: Hot, expr: 'max_over_time(t[6h]) > 30'}"))
    before.step({"t": 31})
    after = restarted(before, down=1)
    assert after.alert({"t": 0}, HOLD_SECONDS - 1).state == "firing"
    assert after.alert({"t": 0}, 1).state == "resolved"


def test_a_resolved_alert_stays_resolved_for_its_time(tmp_path: Path) -> None:
    before = firing(tmp_path)
    resolved = before.alert({"t": 0})
    assert restarted(before, down=60).alert() == resolved
    assert restarted(before, down=1000).alert() is None


@pytest.mark.parametrize(
    ("hold", "pending_for", "down", "remaining"),
    [
        ("30m", 600, 600, 1200),  # the time in which nobody looked does not count
        ("30m", 1500, 600, GRACE_SECONDS),  # a little was left: at least ten minutes
        ("30m", 600, OUTAGE_TOLERANCE_SECONDS + 1, 1800),  # too long ago: anew
        ("5m", 240, 60, 300),  # a short `for` begins anew
    ],
)
def test_a_pending_alert_as_prometheus_restores_it(
    tmp_path: Path, hold: str, pending_for: float, down: float, remaining: float
) -> None:
    before = Evaluations(group_of(tmp_path, f"- {{alert: Hot, expr: t > 30, for: {hold}}}"))
    before.step({"t": 31})
    assert before.alert({"t": 31}, pending_for).state == "pending"
    after = restarted(before, down=down)
    assert after.alert({"t": 31}, 0).state == "pending"
    assert after.alert({"t": 31}, remaining - 1).state == "pending"
    assert after.alert({"t": 31}, 1).state == "firing"


def test_rules_that_are_gone_are_forgotten_and_moved_ones_are_not(tmp_path: Path) -> None:
    rules = "- {alert: A, expr: t > 30}\n- {alert: B, expr: t > 30}\n- {alert: B, expr: t > 20}"
    before = Evaluations(group_of(tmp_path, rules))
    before.step({"t": 31})
    after = restarted(before, down=1, group=group_of(tmp_path, "- {alert: C, expr: t > 1}\n- {alert: B, expr: t > 30}"))
    alerts = after.step({"t": 31}).alerts
    assert [(alert.name, alert.fired_at) for alert in alerts] == [("C", after.now), ("B", 15)]


def test_values_that_json_has_no_number_for(tmp_path: Path) -> None:
    before = Evaluations(group_of(tmp_path, "- {alert: Hot, expr: t > 30}"))
    before.step({"t": float("inf")})
    text = json.dumps(before.state.to_json(), allow_nan=False)
    assert GroupState.from_json(json.loads(text)).alerts["Hot#1"][0].value == float("inf")


def test_nothing_to_restore(tmp_path: Path) -> None:
    group = group_of(tmp_path, "- {alert: Hot, expr: t > 30}")
    assert GroupState.from_json(GroupState().to_json()).restored(group, 100) == GroupState()


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"evaluated_at": "soon", "alerts": {}},
        {"evaluated_at": 1, "alerts": []},
        {"evaluated_at": 1, "alerts": {"A#1": [{"state": "firing"}]}},
        {"evaluated_at": 1, "alerts": {"A#1": [{"state": "melting", "labels": {"alertname": "A"}}]}},
    ],
)
def test_what_is_no_state_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="no state of a rule group"):
        GroupState.from_json(data)
