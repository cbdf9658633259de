"""The token budget: a list is cut where the answer would grow too long, and its cursor says where it goes on."""

import json
from typing import Any, Final

from libraries_io_mcp.answer.cursor import Cursor, neighbours
from libraries_io_mcp.answer.model import LongAnswer, PagedAnswer

BUDGET_TOKENS: Final = 4_000
"""What the structured content of an answer may cost an agent."""
CHARACTERS_A_TOKEN: Final = 4


def size(value: Any) -> int:
    """Characters of a value as JSON, as it goes over the wire."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def cut(answer: LongAnswer, *, question: str, start: int = 0, limit: int | None = None) -> LongAnswer:
    """As much of the list from `start` on as fits: at least one item, at most `limit`.

    Args:
        answer: with the whole list, or the whole page.
        question: fingerprint of the question, for the cursor.
    """
    items = answer.items()
    # What is added later: the cursor and the count.
    room = BUDGET_TOKENS * CHARACTERS_A_TOKEN - size(answer.part(0, 0).model_dump(mode="json")) - 160
    end = start
    for item in items[start : start + limit if limit else None]:
        room -= size(item.model_dump(mode="json")) + 1
        if room < 0 and end > start:
            break
        end += 1
    cursor, left_out = _goes_on(answer, question, end)
    return answer.part(start, end).model_copy(
        update={
            "truncated": cursor is not None or left_out != 0,
            "left_out": left_out,
            "cursor": cursor.encode() if cursor else None,
        }
    )


def _goes_on(answer: LongAnswer, question: str, end: int) -> tuple[Cursor | None, int | None]:
    """The cursor behind `end`, and how many items are left: `None` when nobody knows."""
    items = answer.items()
    left: int | None = len(items) - end
    page = 0
    if isinstance(answer, PagedAnswer):
        page = answer.page
        left = _left_in_all(answer, end)
    if end < len(items):
        return Cursor(q=question, p=page, s=end, n=neighbours(items, end)), left
    if isinstance(answer, PagedAnswer) and answer.has_more:
        return Cursor(q=question, p=page + 1, s=0, n=""), left
    return None, left


def _left_in_all(answer: PagedAnswer, end: int) -> int | None:
    if answer.total is not None:
        return max(answer.total - (answer.page - 1) * answer.per_page - end, 0)
    return None if answer.has_more else len(answer.items()) - end
