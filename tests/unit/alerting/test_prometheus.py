"""Prometheus' rules API over a real connection: what is read from it, and how it is judged by our own clock."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.alert_receiver import LONG, AlertReceiver
from tests.support.collectors import unused_port
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.alerting.canonical import canonical
from libraries_io_mcp.alerting.prometheus import NoAnswerError, Prometheus, SeenGroup, Shape, Wanted, Watch, wanted
from libraries_io_mcp.alerting.rules import load_rules

pytestmark = pytest.mark.anyio
NOON = 1_790_000_000.0
RULES = [("HighErrorRate", "sum by (service_name) (rate(errors_total[5m])) > 0.05"), ("service:calls", "sum(x)")]
ALERT = {
    "labels": {"alertname": "HighErrorRate", "severity": "high", "service_name": "libraries-io-mcp"},
    "annotations": {"summary": "Many calls fail."},
    "state": "firing",
    "activeAt": "2026-11-24T00:10:00.123456789Z",
    "value": "1.2e-01",
}


def rule(name: str, query: str, *alerts: dict[str, Any]) -> dict[str, Any]:
    if ":" in name:
        return {"name": name, "query": query, "type": "recording"}
    more = {"duration": 60, "keepFiringFor": 300, "labels": {"severity": "high"}, "alerts": list(alerts)}
    return {"name": name, "query": query, "type": "alerting", **more}


def shapes(rules: list[tuple[str, str]]) -> frozenset[Shape]:
    """As `rule` has them."""
    severity = frozenset({("severity", "high")})
    return frozenset(
        Shape(name, canonical(query)) if ":" in name else Shape(name, canonical(query), 60.0, 300.0, severity)
        for name, query in rules
    )


def answer(*rules: dict[str, Any], name: str = "service", at: str = "2026-11-24T00:19:56.5Z") -> dict[str, Any]:
    group = {"name": name, "file": "/x.yml", "rules": list(rules), "interval": 15, "lastEvaluation": at}
    return {"status": "success", "data": {"groups": [group]}}


def seen(at: float, *, name: str = "service", rules: list[tuple[str, str]] = RULES) -> SeenGroup:
    return SeenGroup(name, shapes(rules), 15.0, at, ())


def watch(*names: str) -> Watch:
    return Watch([Wanted(name, shapes(RULES), 15.0) for name in names or ("service",)])


@pytest.fixture
def server() -> Iterator[AlertReceiver]:
    """Answers as Prometheus."""
    with AlertReceiver() as server:
        yield server


async def look(url: str, seconds: float = HANG_SECONDS) -> tuple[SeenGroup, ...]:
    async with httpx.AsyncClient(trust_env=False, timeout=HANG_SECONDS) as client:
        return await Prometheus(url, client, seconds=seconds).look()


async def test_groups_and_alerts_are_read(server: AlertReceiver):
    server.reply = json.dumps(answer(rule(*RULES[0], ALERT), rule(*RULES[1]))).encode()
    (group,) = await look(server.url)
    assert (group.name, group.interval, group.rules) == ("service", 15.0, shapes(RULES))
    assert group.evaluated_at == 1795479596.5
    (alert,) = group.alerts
    assert (alert.name, alert.severity, alert.state, alert.value) == ("HighErrorRate", "high", "firing", 0.12)
    assert alert.active_at == pytest.approx(1795479000.123456)
    assert alert.fired_at == pytest.approx(1795479060.123456)
    assert server.requests[0].path == "/api/v1/rules"


async def test_a_pending_alert_has_not_fired_and_values_may_be_no_numbers(server: AlertReceiver):
    pending = {**ALERT, "state": "pending", "value": "+Inf", "keepFiringSince": "2026-11-24T00:11:00Z"}
    server.reply = json.dumps(answer(rule(*RULES[0], pending))).encode()
    ((alert,),) = [group.alerts for group in await look(server.url)]
    assert (alert.state, alert.fired_at, alert.value) == ("pending", None, float("inf"))
    assert alert.keep_firing_since == 1795479060.0


@pytest.mark.parametrize(
    ("status", "reply", "words"),
    [
        (503, b"", "answered 503"),
        (302, b"", "answered 302"),
        (200, b"<html>", "not an answer of Prometheus"),
        (200, b'{"data": {"groups": [{"name": "x"}]}}', "not an answer of Prometheus"),
        (200, b'{"data": null}', "not an answer of Prometheus"),
        (200, b"[" * 100_000, "not an answer of Prometheus"),
        (200, b" " * (2 * LONG), "more than 16000000 bytes"),
    ],
)
async def test_other_answers_are_none(server: AlertReceiver, status: int, reply: bytes, words: str):
    server.status, server.reply = status, reply
    with pytest.raises(NoAnswerError, match=words):
        await look(server.url)


async def test_a_dead_prometheus_gives_no_answer():
    with unused_port() as port, pytest.raises(NoAnswerError, match="ConnectError"):
        await look(f"http://127.0.0.1:{port}")


async def test_a_silent_prometheus_is_not_waited_for(server: AlertReceiver):
    server.hang = True
    with pytest.raises(NoAnswerError, match=r"no answer within 0\.2 s"):
        await look(server.url, 0.2)


def test_the_same_rules_however_they_are_spelled():
    spelled = [
        ("HighErrorRate", "sum by(service_name)(rate(errors_total[300s]))\n  > 0.05"),
        ("service:calls", "sum(x{})"),
    ]
    assert shapes(spelled) == shapes(RULES)


FILE = """
groups:
  - name: service
    labels: {severity: high}
    rules:
      - alert: HighErrorRate
        expr: sum by (service_name) (rate(errors_total[5m])) > 0.05
        for: 1m
        keep_firing_for: 5m
      - {record: "service:calls", expr: sum(x)}
"""
SAME = {**rule(*RULES[0]), "query": "sum by (service_name) (rate(errors_total[5m])) > 0.05"}


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({}, None),
        ({"duration": 120}, "HighErrorRate"),
        ({"keepFiringFor": 0}, "HighErrorRate"),
        ({"labels": {"severity": "critical"}}, "HighErrorRate"),
        ({"annotations": {"summary": "Other words."}}, None),
    ],
)
async def test_rules_are_the_same_when_they_raise_the_same_alerts(
    server: AlertReceiver, tmp_path: Path, change: dict[str, Any], missing: str | None
):
    (tmp_path / "rules.yml").write_text(FILE, encoding="utf-8")
    loaded = load_rules(tmp_path)
    assert loaded.problems == ()
    recording = {**rule(*RULES[1]), "labels": {"severity": "high"}}
    server.reply = json.dumps(answer({**SAME, **change}, recording)).encode()
    watching = Watch(wanted(loaded.groups))
    watching.saw(await look(server.url), 1795479596.5)
    expected = missing and f"its group service has other rules than here: {missing}"
    assert watching.missing == expected


def test_it_evaluates_them_while_the_last_evaluation_moves():
    watching = watch()
    assert not watching.fresh(NOON)
    watching.saw([seen(NOON - 5)], NOON)
    assert watching.missing is None
    assert watching.fresh(NOON + 30)
    assert not watching.fresh(NOON + 31)
    watching.saw([seen(NOON - 5)], NOON + 31)
    assert not watching.fresh(NOON + 31)
    watching.saw([seen(NOON + 40)], NOON + 41)
    assert watching.fresh(NOON + 41)
    assert watching.fresh(NOON + 71)
    assert watching.fresh_for(NOON + 51) == 10


def test_a_wrong_clock_is_found_out_by_the_second_look():
    watching = watch()
    watching.saw([seen(NOON - 3600)], NOON)
    assert not watching.fresh(NOON)
    watching.saw([seen(NOON - 3585)], NOON + 15)
    assert watching.fresh(NOON + 15)


def test_our_own_clock_may_be_set_back():
    watching = watch()
    watching.saw([seen(NOON)], NOON)
    assert watching.fresh(NOON - 3600)
    assert not watching.fresh(NOON - 3569)


def test_a_look_that_fails_counts_only_when_it_lasts():
    watching = watch()
    watching.saw([seen(NOON)], NOON)
    watching.missed("ConnectError")
    assert watching.fresh(NOON + 30)
    assert not watching.fresh(NOON + 31)
    assert watching.missing == "ConnectError"


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([], "it has no group service"),
        (
            [seen(NOON, rules=[("HighErrorRate", "vector(1)")])],
            "its group service has other rules than here: HighErrorRate, service:calls",
        ),
        ([seen(NOON, rules=RULES[:1])], "its group service has other rules than here: service:calls"),
        ([seen(NOON, name="other")], "it has no group service"),
    ],
)
def test_other_rules_are_not_the_same(groups: list[SeenGroup], words: str):
    watching = watch()
    watching.saw(groups, NOON)
    assert watching.missing == words
    assert not watching.fresh(NOON)


def test_every_group_has_to_be_there_and_more_do_not_matter():
    watching = watch("service", "slo")
    watching.saw([seen(NOON)], NOON)
    assert watching.missing == "it has no group slo"
    assert not watching.fresh(NOON)
    more = [*RULES, ("Unsupported", "predict_linear(x[1h], 60) > 1")]
    watching.saw([seen(NOON), seen(NOON, name="slo", rules=more), seen(0.0, name="other")], NOON + 1)
    assert watching.fresh(NOON + 1)


def test_without_rules_there_is_nothing_to_stand_by_for():
    watching = Watch([])
    watching.saw([seen(NOON)], NOON)
    assert not watching.fresh(NOON)
    assert watching.missing == "there are no rules here"
