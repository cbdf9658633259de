"""The store of alerts: what happened between two evaluations, and what people have to know."""

import json
from dataclasses import replace

import pytest
from tests.support.alerts import NOON, an_alert

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.alert_store import RESOLVED_SECONDS, AlertStore


def pending(name: str = "HighErrorRate", *, since: float = NOON - 60) -> Alert:
    return replace(an_alert(name), state="pending", active_at=since, fired_at=None)


def steps(store: AlertStore) -> list[tuple[str, str]]:
    """The history, oldest first: name and event."""
    return [(event.name, event.event) for event in reversed(store.history.newest_first)]


def told(store: AlertStore) -> list[tuple[str, str]]:
    return [(alert.name, alert.state) for alert in store.to_tell]


def test_from_pending_to_resolved():
    store = AlertStore()
    store.update([pending()], NOON - 60)
    assert told(store) == []
    store.update([an_alert()], NOON)
    store.update([an_alert()], NOON + 15)
    assert told(store) == [("HighErrorRate", "firing")]
    store.update([], NOON + 30)
    assert told(store) == [("HighErrorRate", "resolved")]
    assert store.active == ()
    assert steps(store) == [("HighErrorRate", event) for event in ("pending", "firing", "resolved")]


def test_what_was_only_pending_ends_in_silence():
    store = AlertStore()
    store.update([pending()], NOON)
    assert store.update([], NOON + 15) == []
    assert told(store) == []


def test_a_resolved_alert_is_told_for_a_quarter_of_an_hour():
    store = AlertStore()
    store.update([an_alert()], NOON)
    store.update([], NOON + 15)
    store.update([], NOON + 15 + RESOLVED_SECONDS - 1)
    assert told(store) == [("HighErrorRate", "resolved")]
    store.update([], NOON + 15 + RESOLVED_SECONDS)
    assert told(store) == []


def test_firing_again_is_not_resolved_any_more():
    store = AlertStore()
    store.update([an_alert()], NOON)
    store.update([], NOON + 15)
    store.update([an_alert(at=NOON + 30)], NOON + 30)
    assert told(store) == [("HighErrorRate", "firing")]


def test_resolved_and_expected_again_within_one_evaluation():
    store = AlertStore()
    store.update([an_alert()], NOON)
    store.update([pending(since=NOON + 15)], NOON + 15)
    assert told(store) == [("HighErrorRate", "resolved")]
    assert steps(store)[1:] == [("HighErrorRate", "resolved"), ("HighErrorRate", "pending")]


def test_an_alert_keeps_its_beginning_when_another_evaluator_goes_on():
    store = AlertStore()
    store.update([an_alert(at=NOON)], NOON)
    store.update([an_alert(at=NOON + 40)], NOON + 40)
    (alert,) = store.active
    assert (alert.active_at, alert.fired_at) == (NOON - 60, NOON)


def test_a_person_resolves_it_until_it_would_fire_anew():
    store = AlertStore()
    store.update([an_alert()], NOON)
    fingerprint = an_alert().fingerprint
    event = store.resolve(fingerprint, NOON + 5)
    assert event is not None
    assert event.event == "resolved_by_hand"
    store.update([an_alert()], NOON + 15)
    assert store.firing == ()
    assert [alert.name for alert in store.active] == ["HighErrorRate"]
    assert store.resolved_by_hand(fingerprint)
    assert told(store) == [("HighErrorRate", "resolved")]
    store.update([], NOON + 30)
    assert not store.resolved_by_hand(fingerprint)
    store.update([an_alert(at=NOON + 45)], NOON + 45)
    assert told(store) == [("HighErrorRate", "firing")]
    assert [event for _name, event in steps(store)] == ["firing", "resolved_by_hand", "firing"]


def test_resolving_twice_is_one_event():
    store = AlertStore()
    store.update([an_alert()], NOON)
    assert store.resolve(an_alert().fingerprint, NOON + 5)
    assert store.resolve(an_alert().fingerprint, NOON + 6) is None
    assert len(steps(store)) == 2


def test_only_what_fires_can_be_resolved():
    store = AlertStore()
    store.update([pending()], NOON)
    assert store.resolve(pending().fingerprint, NOON) is None
    assert store.resolve("0000000000000000", NOON) is None


def test_it_survives_a_restart():
    store = AlertStore()
    store.update([an_alert("A"), an_alert("B"), an_alert("C")], NOON)
    store.resolve(an_alert("B").fingerprint, NOON + 5)
    store.update([an_alert("A"), an_alert("B")], NOON + 15)
    again = AlertStore()
    again.restore(store.to_json(), lambda _alert: True)
    assert (again.active, again.to_tell, again.firing) == (store.active, store.to_tell, store.firing)
    assert again.update([an_alert("A"), an_alert("B")], NOON + 30) == []
    assert steps(again) == steps(store)


def test_an_alert_whose_rule_was_removed_is_gone_after_a_restart():
    store = AlertStore()
    store.update([an_alert("A"), an_alert("B")], NOON)
    again = AlertStore()
    again.restore(store.to_json(), lambda alert: alert.name == "A")
    assert [alert.name for alert in again.active] == ["A"]


def test_one_bad_alert_costs_only_itself(caplog: pytest.LogCaptureFixture):
    store = AlertStore()
    store.update([an_alert("A"), an_alert("B")], NOON)
    data = json.loads(json.dumps(store.to_json()))
    data["active"][0]["fired_at"] = "yesterday"
    data["history"] = 7
    again = AlertStore()
    again.restore(data, lambda _alert: True)
    assert [alert.name for alert in again.active] == ["B"]
    assert len(caplog.messages) == 2
