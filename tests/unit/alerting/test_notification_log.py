"""What is due to a receiver, by what it got last: news, reminders, ends; what is muted; what survives a restart."""

import json

import pytest
from tests.support.alerts import NOON, an_alert

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.inhibition import REPEAT_SECONDS
from libraries_io_mcp.alerting.notification_log import MISSING_SECONDS, NotificationLog

FIRING = an_alert()
OVER = an_alert(resolved=NOON + 60)
DOWN = an_alert("UpstreamDown", severity="critical", slo="upstream")


def due(log: NotificationLog, *alerts: Alert, at: float = NOON, tells: bool = True) -> list[tuple[str, str]]:
    """What is due: rule and status."""
    return [(each.group["alertname"], each.status) for each in log.due("mail", alerts, tells=tells, now=at)]


def deliver(log: NotificationLog, *alerts: Alert, at: float = NOON) -> list[tuple[str, str]]:
    """What is due, and is delivered, as the dispatcher does it: the worst first, and then looked at anew."""
    told = []
    while notifications := log.due("mail", alerts, tells=True, now=at):
        log.delivered("mail", notifications[0], at)
        told.append((notifications[0].group["alertname"], notifications[0].status))
    return told


def test_each_step_is_told_once():
    log = NotificationLog()
    assert deliver(log, FIRING) == [("HighErrorRate", "firing")]
    assert due(log, FIRING, at=NOON + 600) == []
    assert deliver(log, OVER, at=NOON + 601) == [("HighErrorRate", "resolved")]
    assert due(log, OVER, at=NOON + 700) == []


def test_the_end_is_only_for_who_was_told_the_beginning():
    log = NotificationLog()
    assert due(log, OVER) == []
    deliver(log, FIRING)
    assert log.due("webhook", [OVER], tells=True, now=NOON) == []


@pytest.mark.parametrize("severity", ["critical", "high", "medium", "low"])
def test_people_are_reminded_after_the_interval_of_the_severity(severity: str):
    log, alert = NotificationLog(), an_alert(severity=severity)
    deliver(log, alert)
    assert due(log, alert, at=NOON + REPEAT_SECONDS[severity] - 1) == []
    (reminder,) = log.due("mail", [alert], tells=True, now=NOON + REPEAT_SECONDS[severity])
    assert (reminder.reminds, reminder.count) == (True, 1)


@pytest.mark.parametrize(("severity", "messages"), [("warning", 1), ("", 1), ("low", 1), ("none", 0)])
def test_a_severity_that_is_not_ours_is_told_too(severity: str, messages: int):
    assert len(due(NotificationLog(), an_alert(severity=severity))) == messages


@pytest.mark.parametrize(("cooldown", "seconds"), [("1m", 60), ("", 300), ("soon", 300)])
def test_a_cooldown_is_between_two_messages_about_the_same_alert(cooldown: str, seconds: float):
    rule = {"cooldown": cooldown}
    log = NotificationLog()
    deliver(log, an_alert(annotations=rule))
    deliver(log, an_alert(annotations=rule, resolved=NOON + 1))
    again, other = an_alert(annotations=rule, at=NOON + 2), an_alert(annotations=rule, tool="other")
    assert due(log, again, at=NOON + seconds - 1) == []
    assert due(log, again, at=NOON + seconds) == [("HighErrorRate", "firing")]
    # Another one of the same rule, which nobody has heard of, waits for nothing.
    (notification,) = log.due("mail", [again, other], tells=True, now=NOON + 2)
    assert notification.alerts == (other,)


def test_a_clock_that_was_set_back_delays_nothing():
    log = NotificationLog()
    deliver(log, FIRING, at=NOON + 86_400)
    deliver(log, OVER, at=NOON + 86_401)
    assert due(log, an_alert(at=NOON + 5), at=NOON + 5) == [("HighErrorRate", "firing")]


def test_while_alertmanager_tells_only_what_was_told_here_is_told_to_its_end():
    log, other = NotificationLog(), an_alert("LowSuccessRate")
    deliver(log, FIRING)
    assert due(log, FIRING, other, at=NOON + 86_000, tells=False) == []
    assert due(log, OVER, other, at=NOON + 86_000, tells=False) == [("HighErrorRate", "resolved")]


def test_a_group_is_one_message_with_what_is_known_to_fire():
    log, second = NotificationLog(), an_alert(tool="other", at=NOON + 30)
    deliver(log, FIRING)
    (notification,) = log.due("mail", [FIRING, second], tells=True, now=NOON + 30)
    assert (notification.alerts, notification.reminds) == ((FIRING, second), False)
    log.delivered("mail", notification, NOON + 30)
    (notification,) = log.due("mail", [OVER, second], tells=True, now=NOON + 60)
    assert (notification.alerts, notification.status) == ((second, OVER), "firing")


def test_a_critical_alert_mutes_milder_ones_about_the_same():
    worse = an_alert("ServerDown", severity="critical", slo="availability")
    milder = an_alert("HighErrorRate", severity="high", slo="availability")
    elsewhere = an_alert("CacheStoreLost", severity="medium", slo="cache")
    log = NotificationLog()
    assert deliver(log, milder, worse, elsewhere) == [("ServerDown", "firing"), ("CacheStoreLost", "firing")]
    # What still holds when the worse one is over is told then; what has ended meanwhile is not told at all.
    over = an_alert("ServerDown", severity="critical", slo="availability", resolved=NOON + 60)
    told = deliver(log, milder, over, elsewhere, at=NOON + 60)
    assert sorted(told) == [("HighErrorRate", "firing"), ("ServerDown", "resolved")]


def test_an_outage_of_the_service_mutes_what_follows_from_it_at_the_same_server_only():
    follows = [
        an_alert("LowSuccessRate", slo="availability"),
        an_alert("ErrorBudgetBurnFast", severity="critical", slo="availability"),
        an_alert("BreakerOpen", severity="medium", slo="upstream"),
        an_alert("QuotaExhausted", slo="quota"),
        an_alert("HealthCheckUnhealthy", slo="health", health_check_name="api_connectivity"),
    ]
    others = [
        an_alert("HealthCheckUnhealthy", slo="health", health_check_name="alerting"),
        an_alert("LowSuccessRate", slo="availability", service_name="another"),
        an_alert("ServerDown", severity="critical", slo="availability"),
    ]
    log = NotificationLog()
    told = deliver(log, *follows, *others, DOWN)
    assert sorted(told) == [
        ("HealthCheckUnhealthy", "firing"),
        ("LowSuccessRate", "firing"),
        ("ServerDown", "firing"),
        ("UpstreamDown", "firing"),
    ]
    # After its end, for as long as what was counted is still looked at.
    aftermath = an_alert("UpstreamAftermath", severity="none", slo="upstream")
    over = an_alert("UpstreamDown", severity="critical", slo="upstream", resolved=NOON + 60)
    assert deliver(log, *follows, *others, over, aftermath, at=NOON + 60) == [("UpstreamDown", "resolved")]


def test_a_cause_that_was_not_delivered_mutes_nothing():
    follows = an_alert("LowSuccessRate", slo="availability")
    aftermath = an_alert("UpstreamAftermath", severity="none", slo="upstream")
    log = NotificationLog()
    assert due(log, follows, DOWN, aftermath) == [("UpstreamDown", "firing"), ("LowSuccessRate", "firing")]
    (_, notification) = log.due("mail", [follows, DOWN], tells=True, now=NOON)
    log.delivered("mail", notification, NOON)
    assert due(log, follows, DOWN) == [("UpstreamDown", "firing")]


def test_what_nobody_mentions_any_more_is_over_after_a_while():
    log = NotificationLog()
    deliver(log, FIRING)
    assert log.with_missing([FIRING], now=NOON, monotonic=0.0) == (FIRING,)
    assert log.with_missing([], now=NOON, monotonic=10.0) == ()
    assert log.with_missing([FIRING], now=NOON, monotonic=100.0) == (FIRING,)
    assert log.with_missing([], now=NOON, monotonic=110.0) == ()
    (ended,) = log.with_missing([], now=NOON + 500, monotonic=110.0 + MISSING_SECONDS)
    assert (ended.state, ended.resolved_at, ended.fingerprint) == ("resolved", NOON + 500, FIRING.fingerprint)
    assert deliver(log, ended, at=NOON + 500) == [("HighErrorRate", "resolved")]
    assert log.open == ()


def test_what_is_over_for_a_day_is_forgotten():
    log = NotificationLog()
    deliver(log, FIRING)
    log.forget(NOON + 200_000)
    assert log.open
    deliver(log, OVER, at=NOON + 60)
    log.forget(NOON + 86_461)
    assert log.to_json() == []


def test_a_restart_loses_one_bad_entry_and_nothing_else(caplog: pytest.LogCaptureFixture):
    log = NotificationLog()
    deliver(log, FIRING, an_alert("LowSuccessRate"), an_alert("CacheStoreLost"))
    data = json.loads(json.dumps(log.to_json()))
    data[0]["alert"]["labels"] = 7
    data[1]["at"] = None
    again = NotificationLog()
    again.restore(data, ["mail"])
    assert [alert.name for alert in again.open] == ["CacheStoreLost"]
    assert len(caplog.messages) == 2
    again.restore({"what": 1}, ["mail"])
    assert again.open == ()


def test_a_receiver_that_is_configured_no_more_is_forgotten():
    log = NotificationLog()
    deliver(log, FIRING)
    again = NotificationLog()
    again.restore(log.to_json(), ["webhook"])
    assert again.to_json() == []


def test_each_attempt_at_the_same_is_the_same_and_what_follows_is_not():
    log = NotificationLog()
    first, again = (log.due("mail", [FIRING], tells=True, now=NOON + seconds)[0] for seconds in (0, 5))
    assert first.identity == again.identity
    log.delivered("mail", first, NOON)
    (reminder,) = log.due("mail", [FIRING], tells=True, now=NOON + 86_000)
    (end,) = log.due("mail", [OVER], tells=True, now=NOON + 60)
    assert len({first.identity, reminder.identity, end.identity}) == 3
    assert first.thread == reminder.thread == end.thread
