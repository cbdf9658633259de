"""The cursor: what was made is read back; everything else is refused in words."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libraries_io_mcp.answer.cursor import LONGEST_CURSOR, Cursor, decode, fingerprint_of_question, neighbours
from libraries_io_mcp.answer.model import Part
from libraries_io_mcp.errors import InvalidRequestError

QUESTION = fingerprint_of_question("tool", {"name": "x"})


class Item(Part):
    """An item of a list."""

    number: int


ITEMS = [Item(number=number) for number in range(10)]


@given(st.integers(0, 100_000), st.integers(0, 10_000_000))
def test_there_and_back(page: int, skip: int):
    cursor = Cursor(q=QUESTION, p=page, s=skip, n=neighbours(ITEMS, 3))
    text = cursor.encode()
    assert decode(text, QUESTION) == cursor
    assert len(text) <= LONGEST_CURSOR
    assert text.isascii()


@given(
    st.text(max_size=LONGEST_CURSOR) | st.binary(max_size=100).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
def test_texts_of_nobody_are_refused(text: str):
    with pytest.raises(InvalidRequestError, match="none of this server's"):
        decode(text, QUESTION)


@pytest.mark.parametrize("change", [{"p": -1}, {"s": -1}, {"s": 1e9}, {"p": "1"}, {"extra": 1}, {"s": 10**30}])
def test_forged_places_are_refused(change: dict[str, object]):
    forged = Cursor(q=QUESTION, p=1, s=1, n="").model_dump() | change
    text = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode()
    with pytest.raises(InvalidRequestError, match="none of this server's"):
        decode(text, QUESTION)


def test_another_question_is_refused():
    text = Cursor(q=QUESTION, p=0, s=1, n="").encode()
    for tool, arguments in (("tool", {"name": "y"}), ("other", {"name": "x"}), ("tool", {"name": "x", "more": None})):
        with pytest.raises(InvalidRequestError, match="another question"):
            decode(text, fingerprint_of_question(tool, arguments))


@pytest.mark.parametrize(
    "changed",
    [ITEMS[:-1], ITEMS[:2] + ITEMS[3:], [*ITEMS[:3], Item(number=99), *ITEMS[4:]], [], ITEMS[:3]],
    ids=["one less behind", "one less before", "another neighbour", "empty", "ends there"],
)
def test_a_list_that_has_changed_is_refused(changed: list[Item]):
    cursor = Cursor(q=QUESTION, p=0, s=3, n=neighbours(ITEMS, 3))
    cursor.check(ITEMS)
    with pytest.raises(InvalidRequestError, match="has changed") as caught:
        cursor.check(changed)
    assert "Leave `cursor` out" in caught.value.next_step


def test_the_start_of_a_page_has_no_neighbours():
    Cursor(q=QUESTION, p=2, s=0, n="").check([])
