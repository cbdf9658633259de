"""The history of alerts: newest first, bounded, and honest about what it has let go."""

from tests.support.alerts import NOON, an_alert

from libraries_io_mcp.alerting.history import Event, History


def filled(count: int, *, kept: int) -> History:
    history = History(kept)
    for number in range(count):
        history.add(Event.of("firing", an_alert(f"Alert{number}"), NOON + number))
    return history


def test_an_event_says_what_happened_to_which_alert():
    alert = an_alert("HighErrorRate", severity="critical")
    event = Event.of("resolved", alert, NOON + 9)
    assert event == Event(
        NOON + 9, "resolved", alert.fingerprint, "HighErrorRate", "critical", "HighErrorRate is the case", 12.5
    )


def test_the_newest_come_first():
    assert [event.name for event in filled(3, kept=5).newest_first] == ["Alert2", "Alert1", "Alert0"]
    assert filled(3, kept=5).dropped == 0


def test_the_oldest_are_let_go_and_counted():
    history = filled(7, kept=5)
    assert [event.name for event in history.newest_first][-1] == "Alert2"
    assert len(history.newest_first) == 5
    assert history.dropped == 2


def test_it_survives_a_restart():
    history = History(5)
    history.restore(filled(7, kept=5).to_json())
    assert history.newest_first == filled(7, kept=5).newest_first
    assert history.dropped == 2
