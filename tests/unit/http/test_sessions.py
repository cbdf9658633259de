from typing import Any

import pytest

from libraries_io_mcp.http.sessions import Sessions, Visit
from libraries_io_mcp.http.turns import RefusedError
from libraries_io_mcp.settings import LimitSettings

IDLE_SECONDS = 60.0


class Counting:
    """The count, and requests as a server would see them."""

    def __init__(self, **limits: Any) -> None:
        self.now = 100.0
        self.sessions = Sessions(LimitSettings(session_idle_seconds=IDLE_SECONDS, **limits), lambda: self.now)

    def visit(self, caller: str, method: str = "POST", name: str | None = None, version: str = "2025-11-25") -> Visit:
        headers = [(b"mcp-protocol-version", version.encode())]
        if name is not None:
            headers.append((b"mcp-session-id", name.encode()))
        return self.sessions.visit({"type": "http", "method": method, "headers": headers}, caller)

    def open(self, caller: str, name: str) -> None:
        """A whole request that opens a session."""
        visit = self.visit(caller)
        visit.answered(start(200, name))
        visit.end()

    def ask(self, caller: str, name: str, method: str = "POST", status: int = 200) -> None:
        """A whole request within a session."""
        visit = self.visit(caller, method, name)
        visit.answered(start(status))
        visit.end()


def start(status: int, name: str | None = None) -> dict[str, Any]:
    headers = [] if name is None else [(b"Mcp-Session-Id", name.encode())]
    return {"type": "http.response.start", "status": status, "headers": headers}


def refusal(counting: Counting, caller: str, method: str = "POST") -> tuple[str, int]:
    with pytest.raises(RefusedError) as raised:
        counting.visit(caller, method)
    return raised.value.reason, raised.value.status


def test_a_caller_and_all_have_so_many_sessions():
    counting = Counting(max_sessions=3, max_sessions_per_caller=2)
    for caller, name in (("a", "a1"), ("a", "a2"), ("b", "b1")):
        counting.open(caller, name)
    assert refusal(counting, "a") == ("too_many_sessions", 429)
    assert refusal(counting, "c") == ("too_many_sessions", 503)


def test_requests_that_are_about_to_open_a_session_count():
    counting = Counting(max_sessions_per_caller=1)
    visit = counting.visit("a")
    assert refusal(counting, "a") == ("too_many_sessions", 429)
    visit.end()
    counting.open("a", "a1")


@pytest.mark.parametrize("status", [400, 503])
def test_a_refused_opening_leaves_nothing(status: int):
    counting = Counting(max_sessions_per_caller=1)
    visit = counting.visit("a")
    visit.answered(start(status, "a1"))
    visit.end()
    assert not counting.sessions.by_id
    assert not counting.sessions.of_caller


def test_a_revision_without_sessions_opens_none():
    counting = Counting(max_sessions_per_caller=1)
    visits = [counting.visit("a", version="2026-07-28") for _ in range(3)]
    for visit in visits:
        visit.end()
    assert not counting.sessions.of_caller


def test_who_ends_a_session_may_open_another_one():
    counting = Counting(max_sessions_per_caller=1)
    counting.open("a", "a1")
    counting.ask("a", "a1", "DELETE")
    counting.open("a", "a2")
    # The SDK has ended it by itself.
    counting.ask("a", "a2", status=404)
    counting.open("a", "a3")


def test_nobody_ends_the_session_of_another():
    counting = Counting(max_sessions_per_caller=1)
    counting.open("a", "a1")
    counting.ask("b", "a1", "DELETE", status=404)
    assert refusal(counting, "a") == ("too_many_sessions", 429)


def test_idle_sessions_count_until_the_sdk_has_ended_them_and_busy_ones_longer():
    counting = Counting(max_sessions_per_caller=2)
    counting.open("a", "idle")
    counting.open("a", "busy")
    busy = counting.visit("a", "POST", "busy")
    counting.now += IDLE_SECONDS
    assert refusal(counting, "a") == ("too_many_sessions", 429)
    counting.now += 0.1
    counting.open("a", "new")
    assert set(counting.sessions.by_id) == {b"busy", b"new"}
    assert refusal(counting, "a") == ("too_many_sessions", 429)
    busy.end()


def test_a_caller_and_all_have_so_many_streams_while_they_last():
    counting = Counting(max_streams=2, max_streams_per_caller=1)
    first, second = counting.visit("a", "GET", "a1"), counting.visit("b", "GET", "b1")
    assert refusal(counting, "a", "GET") == ("too_many_streams", 429)
    assert refusal(counting, "c", "GET") == ("too_many_streams", 503)
    first.end()
    third = counting.visit("c", "GET", "c1")
    second.end()
    third.end()
    assert not counting.sessions.streams
