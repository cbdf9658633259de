"""The ledger's memory: what it forgets, how long it has Alertmanager kept quiet, who tells what is left."""

import logging

import pytest
from tests.support.alerts import NOON, an_alert

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
