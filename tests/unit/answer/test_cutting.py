"""The budget: every answer fits, every list is shown whole by its cursors, each item once."""

from datetime import UTC, datetime
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libraries_io_mcp.answer import ListAnswer, PagedAnswer, Part, Provenance
from libraries_io_mcp.answer.cursor import decode
from libraries_io_mcp.answer.cutting import BUDGET_TOKENS, CHARACTERS_A_TOKEN, cut, size

PROVENANCE = Provenance(
    endpoint="/x", fetched_at=datetime(2026, 1, 1, tzinfo=UTC), source="network", age_seconds=0, quota_remaining=1
)


class Item(Part):
    """An item."""

    number: int
    words: str


class Listed(ListAnswer):
    """A whole list."""

    listed: ClassVar[str] = "items_of_it"

    items_of_it: tuple[Item, ...]

    def text(self) -> str:
        """Nothing."""
        return ""


class Paged(PagedAnswer):
    """A page."""

    listed: ClassVar[str] = "items_of_it"

    items_of_it: tuple[Item, ...]

    def text(self) -> str:
        """Nothing."""
        return ""


def whole(lengths: list[int]) -> Listed:
    items = tuple(Item(number=number, words="é" * length) for number, length in enumerate(lengths))
    return Listed(items_of_it=items, provenance=PROVENANCE)


@given(st.lists(st.integers(0, 600), max_size=120), st.none() | st.integers(1, 100))
def test_every_item_is_shown_once_and_every_answer_fits(lengths: list[int], limit: int | None):
    answer = whole(lengths)
    shown: list[int] = []
    start, calls = 0, 0
    while True:
        part = cut(answer, question="q", start=start, limit=limit)
        calls += 1
        assert size(part.model_dump(mode="json")) <= BUDGET_TOKENS * CHARACTERS_A_TOKEN
        shown += [item.number for item in part.items_of_it]
        assert part.left_out == len(lengths) - len(shown)
        assert part.truncated is bool(part.left_out)
        if part.cursor is None:
            break
        assert limit is None or len(part.items_of_it) <= limit
        cursor = decode(part.cursor, "q")
        cursor.check(answer.items())
        start = cursor.s
    assert shown == list(range(len(lengths)))
    assert calls <= len(lengths) + 1


def page(found: int, number: int, total: int | None, *, more: bool, length: int = 1) -> Paged:
    items = tuple(Item(number=each, words="x" * length) for each in range(found))
    return Paged(items_of_it=items, page=number, per_page=30, total=total, has_more=more, provenance=PROVENANCE)


@pytest.mark.parametrize(
    ("answer", "truncated", "left_out", "place"),
    [
        (page(30, 1, 65, more=True), True, 35, (2, 0)),
        (page(30, 2, 65, more=True), True, 5, (3, 0)),
        (page(5, 3, 65, more=False), False, 0, None),
        (page(30, 1, None, more=True), True, None, (2, 0)),
        (page(5, 2, None, more=False), False, 0, None),
        (page(0, 1, 0, more=False), False, 0, None),
        # Beyond what Libraries.io shows: there is more, and no way to it.
        (page(30, 300, 10_704, more=False), True, 1704, None),
    ],
)
def test_pages(answer: Paged, truncated: bool, left_out: int | None, place: tuple[int, int] | None):
    part = cut(answer, question="q")
    assert (part.truncated, part.left_out) == (truncated, left_out)
    cursor = decode(part.cursor, "q") if part.cursor else None
    assert (cursor and (cursor.p, cursor.s)) == place


def test_a_page_that_is_too_long_goes_on_inside_itself():
    answer = page(30, 2, 65, more=True, length=600)
    part = cut(answer, question="q")
    count = len(part.items_of_it)
    assert 1 < count < 30
    assert part.left_out == 35 - count
    cursor = decode(part.cursor, "q")
    assert (cursor.p, cursor.s) == (2, count)
    rest = cut(answer, question="q", start=cursor.s)
    assert rest.items_of_it[0].number == count
