"""The ledger's memory: what it forgets, how long it has Alertmanager kept quiet, who tells what is left."""

import logging

import pytest
from tests.support.alerts import NOON, an_alert

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.ledger import RESOLVED_SECONDS, SILENCE_SECONDS, Ledger

FIRING = an_alert()
OVER = an_alert(resolved=NOON + 60)


def told(ledger: Ledger, at: float = NOON) -> None:
    """People are told directly."""
    (notification,) = ledger.review([FIRING], direct=True, answered_at=None, now=at).notifications
    ledger.delivered(notification)


@pytest.mark.parametrize(("severity", "messages"), [("warning", 1), ("", 1), ("low", 1), ("none", 0)])
def test_a_severity_that_is_not_ours_is_told_too(severity: str, messages: int):
    alert = an_alert(severity=severity)
    assert len(Ledger().review([alert], direct=True, answered_at=None, now=NOON).notifications) == messages


WORSE = an_alert("ErrorBudgetBurnFast", severity="critical", slo="calls")
MILDER = an_alert("HighResponseTime", severity="medium", slo="calls")
ELSEWHERE = an_alert("CacheStoreLost", severity="medium", slo="cache")


def names(ledger: Ledger, *alerts: Alert, at: float = NOON) -> list[tuple[str, str]]:
    """Who is told of by now, and whether it fires."""
    review = ledger.review(alerts, direct=True, answered_at=None, now=at)
    return [(each.group["alertname"], each.status) for each in review.notifications]


def test_a_critical_alert_silences_milder_ones_about_the_same():
    ledger = Ledger()
    assert names(ledger, MILDER, WORSE, ELSEWHERE) == [("ErrorBudgetBurnFast", "firing"), ("CacheStoreLost", "firing")]
    over = an_alert("ErrorBudgetBurnFast", severity="critical", slo="calls", resolved=NOON + 60)
    # What still holds when the worse one is over is told then.
    told_later = names(ledger, MILDER, over, ELSEWHERE, at=NOON + 60)
    assert sorted(told_later) == [("ErrorBudgetBurnFast", "resolved"), ("HighResponseTime", "firing")]


def test_a_silenced_alert_that_ends_is_not_told_at_all_and_is_held_once():
    ledger = Ledger()
    review = ledger.review([MILDER, WORSE], direct=True, answered_at=None, now=NOON)
    assert review.held == (MILDER,)
    assert ledger.review([MILDER, WORSE], direct=True, answered_at=None, now=NOON + 15).held == ()
    over = an_alert("HighResponseTime", severity="medium", slo="calls", resolved=NOON + 30)
    assert names(ledger, over, WORSE, at=NOON + 30) == []


def test_an_alert_that_nobody_mentions_is_forgotten_and_that_is_said(caplog: pytest.LogCaptureFixture):
    ledger = Ledger()
    told(ledger)
    with caplog.at_level(logging.WARNING):
        assert ledger.review([], direct=True, answered_at=None, now=NOON + 3601).notifications == ()
    assert "alert HighErrorRate was not seen for an hour: how it ended is not told" in caplog.messages
    assert ledger.review([OVER], direct=True, answered_at=None, now=NOON + 3700).notifications == ()
    assert ledger.state()["entries"] == []


def test_a_silence_ends_soon_after_us():
    ledger = Ledger()
    told(ledger)
    ((entry, until),) = ledger.to_silence(NOON + 10)
    assert until == NOON + 10 + SILENCE_SECONDS
    entry.silence, entry.silence_until = "id", until
    assert ledger.to_silence(NOON + 100) == []
    ((_entry, renewed),) = ledger.to_silence(NOON + 200)
    assert renewed == NOON + 200 + SILENCE_SECONDS


def test_after_its_end_it_is_silenced_as_long_as_the_end_is_repeated():
    ledger = Ledger()
    told(ledger)
    ledger.review([OVER], direct=False, answered_at=NOON + 60, now=NOON + 60)
    ((entry, until),) = ledger.to_silence(NOON + 60)
    assert until > NOON + 60 + RESOLVED_SECONDS
    entry.silence, entry.silence_until = "id", until
    assert ledger.to_silence(NOON + 70) == []
    ledger.review([OVER], direct=False, answered_at=NOON + 60, now=until + 1)
    assert ledger.state()["entries"] == []


def test_what_fires_anew_under_a_silence_of_ours_is_ours_to_tell():
    ledger = Ledger()
    told(ledger)
    ledger.review([OVER], direct=False, answered_at=NOON + 60, now=NOON + 60)
    ((entry, until),) = ledger.to_silence(NOON + 60)
    entry.silence, entry.silence_until = "id", until
    again = an_alert(at=NOON + 400)
    (notification,) = ledger.review([again], direct=False, answered_at=NOON + 400, now=NOON + 400).notifications
    assert notification.status == "firing"


def test_what_fires_anew_without_one_is_alertmanagers():
    ledger = Ledger()
    told(ledger)
    ledger.review([OVER], direct=False, answered_at=NOON + 60, now=NOON + 60)
    again = an_alert(at=NOON + 400)
    assert ledger.review([again], direct=False, answered_at=NOON + 400, now=NOON + 400).notifications == ()


@pytest.mark.parametrize(("cooldown", "seconds"), [("1m", 60), ("", 300), ("soon", 300)])
def test_how_long_a_rule_keeps_quiet(cooldown: str, seconds: float):
    ledger = Ledger()
    rule = {"cooldown": cooldown}
    ledger.review([an_alert(annotations=rule)], direct=True, answered_at=None, now=NOON)
    ledger.review([an_alert(annotations=rule, resolved=NOON + 1)], direct=True, answered_at=None, now=NOON + 1)
    again = an_alert(annotations=rule, at=NOON + 2)
    before = ledger.review([again], direct=True, answered_at=None, now=NOON + seconds - 1)
    assert (before.notifications, before.held) == ((), (again,))
    assert ledger.review([again], direct=True, answered_at=None, now=NOON + seconds).notifications
