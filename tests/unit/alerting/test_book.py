"""The book of alerts: what happened between two evaluations, and what people have to know."""

from dataclasses import replace

from tests.support.alerts import NOON, an_alert

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.book import RESOLVED_SECONDS, Book


def pending(name: str = "HighErrorRate", *, since: float = NOON - 60) -> Alert:
    return replace(an_alert(name), state="pending", active_at=since, fired_at=None)


def steps(book: Book) -> list[tuple[str, str]]:
    """The history, oldest first: name and event."""
    return [(event.name, event.event) for event in reversed(book.history.newest_first)]


def told(book: Book) -> list[tuple[str, str]]:
    return [(alert.name, alert.state) for alert in book.to_tell]


def test_from_pending_to_resolved():
    book = Book()
    book.update([pending()], NOON - 60)
    assert told(book) == []
    book.update([an_alert()], NOON)
    book.update([an_alert()], NOON + 15)
    assert told(book) == [("HighErrorRate", "firing")]
    book.update([], NOON + 30)
    assert told(book) == [("HighErrorRate", "resolved")]
    assert book.active == ()
    assert steps(book) == [("HighErrorRate", event) for event in ("pending", "firing", "resolved")]


def test_what_was_only_pending_ends_in_silence():
    book = Book()
    book.update([pending()], NOON)
    assert book.update([], NOON + 15) == []
    assert told(book) == []


def test_a_resolved_alert_is_told_for_a_quarter_of_an_hour():
    book = Book()
    book.update([an_alert()], NOON)
    book.update([], NOON + 15)
    book.update([], NOON + 15 + RESOLVED_SECONDS - 1)
    assert told(book) == [("HighErrorRate", "resolved")]
    book.update([], NOON + 15 + RESOLVED_SECONDS)
    assert told(book) == []


def test_firing_again_is_not_resolved_any_more():
    book = Book()
    book.update([an_alert()], NOON)
    book.update([], NOON + 15)
    book.update([an_alert(at=NOON + 30)], NOON + 30)
    assert told(book) == [("HighErrorRate", "firing")]


def test_resolved_and_expected_again_within_one_evaluation():
    book = Book()
    book.update([an_alert()], NOON)
    book.update([pending(since=NOON + 15)], NOON + 15)
    assert told(book) == [("HighErrorRate", "resolved")]
    assert steps(book)[1:] == [("HighErrorRate", "resolved"), ("HighErrorRate", "pending")]


def test_an_alert_keeps_its_beginning_when_another_evaluator_goes_on():
    book = Book()
    book.update([an_alert(at=NOON)], NOON)
    book.update([an_alert(at=NOON + 40)], NOON + 40)
    (alert,) = book.active
    assert (alert.active_at, alert.fired_at) == (NOON - 60, NOON)


def test_a_person_resolves_it_until_it_would_fire_anew():
    book = Book()
    book.update([an_alert()], NOON)
    fingerprint = an_alert().fingerprint
    event = book.resolve(fingerprint, NOON + 5)
    assert event is not None
    assert event.event == "resolved_by_hand"
    book.update([an_alert()], NOON + 15)
    assert book.firing == ()
    assert [alert.name for alert in book.active] == ["HighErrorRate"]
    assert book.resolved_by_hand(fingerprint)
    assert told(book) == [("HighErrorRate", "resolved")]
    book.update([], NOON + 30)
    assert not book.resolved_by_hand(fingerprint)
    book.update([an_alert(at=NOON + 45)], NOON + 45)
    assert told(book) == [("HighErrorRate", "firing")]
    assert [event for _name, event in steps(book)] == ["firing", "resolved_by_hand", "firing"]


def test_resolving_twice_is_one_event():
    book = Book()
    book.update([an_alert()], NOON)
    assert book.resolve(an_alert().fingerprint, NOON + 5)
    assert book.resolve(an_alert().fingerprint, NOON + 6)
    assert len(steps(book)) == 2


def test_only_what_fires_can_be_resolved():
    book = Book()
    book.update([pending()], NOON)
    assert book.resolve(pending().fingerprint, NOON) is None
    assert book.resolve("0000000000000000", NOON) is None


def test_it_survives_a_restart():
    book = Book()
    book.update([an_alert("A"), an_alert("B"), an_alert("C")], NOON)
    book.resolve(an_alert("B").fingerprint, NOON + 5)
    book.update([an_alert("A"), an_alert("B")], NOON + 15)
    again = Book()
    again.restore(book.to_json())
    assert (again.active, again.to_tell, again.firing) == (book.active, book.to_tell, book.firing)
    assert again.update([an_alert("A"), an_alert("B")], NOON + 30) == []
    assert steps(again) == steps(book)
