"""Who evaluates: Prometheus while it is seen to, this server otherwise, and no change before the other one is ready."""

from dataclasses import replace
from typing import Literal

from tests.support.alerts import NOON, an_alert

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.hand_over import HandOver
from libraries_io_mcp.alerting.prometheus import SeenGroup, Shape, Wanted, Watch

RULES = frozenset({Shape("HighErrorRate", "vector(1)")})
PATIENCE = 360.0


def alert(state: Literal["pending", "firing"], *, since: float = NOON) -> Alert:
    fired = since + 60 if state == "firing" else None
    return replace(an_alert(), state=state, active_at=since, fired_at=fired)


class Site:
    """A watch and what it decides; Prometheus evaluates at each look."""

    def __init__(self) -> None:
        self.watch = Watch([Wanted("g", RULES, 15.0)])
        self.hand_over = HandOver(self.watch, {"HighErrorRate": PATIENCE}, interval=15.0, now=NOON)

    def look(self, now: float, *theirs: Alert, ours: tuple[Alert, ...] = ()) -> str:
        self.watch.saw([SeenGroup("g", RULES, 15.0, now, theirs)], now)
        self.hand_over.decide(ours, now)
        return self.hand_over.by

    def no_answer(self, now: float, *, ours: tuple[Alert, ...] = ()) -> str:
        self.watch.missed("ConnectError")
        self.hand_over.decide(ours, now)
        return self.hand_over.by


def test_without_prometheus_this_server_evaluates():
    hand_over = HandOver(None, {}, interval=15.0, now=NOON)
    assert hand_over.decide([], NOON + 1000) is None
    hand_over.restore("prometheus", NOON - 5)
    assert (hand_over.by, hand_over.since) == ("in_process", NOON)


def test_prometheus_comes_first():
    site = Site()
    assert site.hand_over.by == "in_process"
    assert site.look(NOON + 1) == "prometheus"
    assert site.hand_over.since == NOON + 1


def test_two_intervals_without_an_evaluation_are_enough():
    site = Site()
    site.look(NOON)
    assert site.no_answer(NOON + 30) == "prometheus"
    assert site.no_answer(NOON + 30.1) == "in_process"


def test_the_reason_is_said():
    site = Site()
    change = (site.watch.saw([SeenGroup("g", RULES, 15.0, NOON, ())], NOON), site.hand_over.decide([], NOON))[1]
    assert change is not None
    assert (change.to, change.reason) == ("prometheus", "it evaluates the same rules")
    site.watch.missed("ConnectError")
    change = site.hand_over.decide([], NOON + 31)
    assert change is not None
    assert (change.to, change.reason) == ("in_process", "ConnectError")


def test_it_hands_back_when_prometheus_fires_too():
    site = Site()
    firing, pending = alert("firing"), alert("pending", since=NOON + 100)
    assert site.look(NOON + 100, ours=(firing,)) == "in_process"
    assert site.look(NOON + 115, pending, ours=(firing,)) == "in_process"
    assert site.look(NOON + 160, alert("firing", since=NOON + 100), ours=(firing,)) == "prometheus"


def test_a_pending_alert_must_not_lose_its_time_either():
    site = Site()
    ours = (alert("pending", since=NOON),)
    assert site.look(NOON + 50, alert("pending", since=NOON + 45), ours=ours) == "in_process"
    assert site.look(NOON + 65, alert("pending", since=NOON + 10), ours=ours) == "prometheus"


def test_a_prometheus_that_never_agrees_gets_its_time_and_then_it_is_right():
    site = Site()
    ours = (alert("firing"),)
    now = NOON
    while site.look(now, ours=ours) == "in_process":
        now += 15
    assert PATIENCE + 30 < now - NOON <= PATIENCE + 60


def test_after_a_restart_the_one_before_is_remembered():
    site = Site()
    site.hand_over.restore("prometheus", NOON - 500)
    assert (site.hand_over.by, site.hand_over.since) == ("prometheus", NOON - 500)
    assert site.look(NOON) == "prometheus"
