"""Alerts as plain data: worst first, counted by severity, and always JSON."""

import json
from dataclasses import replace

import pytest
from tests.support.alerts import NOON, an_alert

from libraries_io_mcp.alerting.alert_store import AlertStore
from libraries_io_mcp.alerting.facts import alerts_facts, history_facts, iso


def test_the_worst_come_first_and_only_what_fires_is_counted():
    store = AlertStore()
    store.update(
        [
            an_alert("Low", severity="low"),
            replace(an_alert("Pending", severity="critical"), state="pending", fired_at=None),
            an_alert("Later", severity="critical", at=NOON + 5),
            an_alert("Critical", severity="critical"),
            an_alert("Odd", severity="page"),
        ],
        NOON,
    )
    facts = alerts_facts(store, evaluated_by="prometheus", since=NOON, problems=["one"])
    assert [alert["name"] for alert in facts["active"]] == ["Critical", "Later", "Odd", "Low", "Pending"]
    assert facts["summary"] == {"critical": 2, "high": 1, "medium": 0, "low": 1, "none": 0}
    assert (facts["evaluated_by"], facts["since"]) == ("prometheus", "2026-09-21T14:13:20.000Z")
    assert facts["problems"] == ["one"]
    assert facts["active"][-1]["fired_at"] is None


@pytest.mark.parametrize(
    ("value", "shown"), [(0.5, 0.5), (float("nan"), "NaN"), (float("inf"), "+Inf"), (float("-inf"), "-Inf")]
)
def test_a_value_that_json_does_not_know_is_a_text(value: float, shown: float | str):
    store = AlertStore()
    store.update([replace(an_alert(), value=value)], NOON)
    facts = alerts_facts(store, evaluated_by="in_process", since=None, problems=[])
    assert facts["active"][0]["value"] == shown
    assert history_facts(store)["events"][0]["value"] == shown
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert facts["since"] is None


def test_moments_are_utc_to_the_millisecond():
    assert iso(NOON + 0.5) == "2026-09-21T14:13:20.500Z"
