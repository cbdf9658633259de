import pytest

from libraries_io_mcp.librariesio.shares import Shares

LIMIT = 60


def kept(shares: Shares, caller: str, window: int = 1, *, left: float = 1.0, waiting: tuple[str, ...] = ()) -> int:
    return shares.kept_for_others(caller, window, allowed=LIMIT, left=left, waiting=waiting)


def given(*amounts: tuple[str, int], window: int = 1) -> Shares:
    shares = Shares()
    for caller, amount in amounts:
        for _ in range(amount):
            shares.give(caller, window)
    return shares


def test_a_lone_caller_may_have_everything():
    assert kept(Shares(), "a") == 0
    assert kept(given(("a", 59)), "a", waiting=("a",)) == 0


def test_within_its_share_a_caller_leaves_nothing():
    assert kept(given(("a", 29), ("b", 1)), "a") == 0


def test_beyond_its_share_it_leaves_the_others_what_they_have_not_had():
    assert kept(given(("a", 30), ("b", 10)), "a") == 20
    assert kept(given(("a", 20), ("b", 10), ("c", 25)), "a") == 10
    assert kept(given(("a", 30)), "a", waiting=("a", "b")) == 30


def test_what_is_kept_shrinks_with_the_window_to_one_request_each():
    shares = given(("a", 20), ("b", 0), ("c", 15))
    assert kept(shares, "a", left=0.5, waiting=("b",)) == 10 + 5
    assert kept(shares, "a", left=0.01, waiting=("b",)) == 2


def test_who_asked_in_the_window_before_is_remembered_for_one_window():
    shares = given(("a", 60), ("b", 1))
    shares.give("a", 2)
    for _ in range(29):
        shares.give("a", 2)
    assert kept(shares, "a", 2) == 30
    for _ in range(60):
        shares.give("a", 3)
    assert kept(shares, "a", 3) == 0
    # A clock that was set: nothing is known of the window before.
    for _ in range(60):
        shares.give("b", 4)
        shares.give("a", 9)
    assert kept(shares, "a", 9) == 0


def test_nothing_is_kept_for_nobody_in_particular():
    assert kept(given(("a", 60), ("", 1)), "a", waiting=("",)) == 0


def test_many_callers_keep_one_request_each_at_most():
    shares = given(("a", 1))
    assert kept(shares, "a", waiting=tuple(str(number) for number in range(100))) == 100


def heard(shares: Shares, *others: Shares, waiting: tuple[str, ...] = ()) -> Shares:
    shares.hear(other.tell(waiting) for other in others)
    return shares


def test_what_other_processes_have_given_counts():
    here, there = given(("a", 20)), given(("a", 10), ("b", 10))
    assert kept(here, "a") == 0
    assert kept(heard(here, there), "a") == 20
    assert kept(heard(given(("a", 29)), given(("b", 1))), "a") == 0


def test_who_waits_or_asked_before_elsewhere_is_known_here():
    there = Shares()
    assert kept(there, "b") == 0
    assert kept(heard(given(("a", 30)), there, waiting=("b",)), "a") == 30
    before = given(("b", 5), window=1)
    assert kept(heard(given(("a", 30), window=2), before), "a", 2) == 30
    before.give("", 2)
    assert kept(heard(given(("a", 30), window=2), before), "a", 2) == 30
    # Of two windows ago.
    assert kept(heard(given(("a", 60), window=3), given(("b", 5), window=1)), "a", 3) == 0


def test_the_others_learn_no_name():
    told = given(("client 203.0.113.7", 3), ("", 2)).tell(["token deploy"])
    assert "203" not in told
    assert "deploy" not in told
    assert '""' not in told


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"window": 1}', '{"window": 1, "given": [], "before": []}'])
def test_what_can_not_be_read_is_left_out(text: str):
    shares = given(("a", 60))
    shares.hear([text])
    assert kept(shares, "a") == 0
