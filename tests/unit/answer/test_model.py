"""Texts of other people in an answer: one line each, without what can't be seen, with an end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libraries_io_mcp.answer.model import LONGEST_TEXT, MOST_WORDS, Part, more_pages, plain, shown


class Named(Part):
    """A part with each kind of text."""

    text: str | None
    words: tuple[str, ...] = ()
    files: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it


@given(st.none() | st.integers())
def test_a_count_that_is_not_known_is_not_0(number: int | None):
    assert shown(number) == ("unknown" if number is None else str(number))


@given(st.text())
def test_a_text_is_one_short_line(text: str):
    line = plain(text)
    assert len(line) <= LONGEST_TEXT
    assert line.isprintable() or not line.isascii()
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\r\n\tc", "a b c"),
        ("\x1b[31mred\x07", "[31mred"),
        ("ignore\u202e all\u200b\ufeff this", "ignore all this"),
        ("nice" + "".join(chr(0xE0000 + ord(each)) for each in "hidden"), "nice"),
        ("data\ufe01\ufe0f\U000e0101\U000e01ef", "data"),
        ("a\u00ad\u034f\u061c\u115f\u180e\u2061\u2069\u3164\uffa0\ufffbb", "ab"),
        ("Größe 大きさ", "Größe 大きさ"),
        ("x" * 1_000_000, "x" * (LONGEST_TEXT - 1) + "…"),
    ],
)
def test_what_becomes_of_a_text(text: str, line: str):
    assert plain(text) == line


def test_every_text_of_a_part_is_made_plain():
    part = Named(text="a\nb", words=("c\nd", *("w" for _ in range(100))), files={"e\nf": "g\nh"})
    assert (part.text, part.words[0], part.files) == ("a b", "c d", {"e f": "g h"})
    assert len(part.words) == MOST_WORDS + 1
    assert part.words[-1] == "… 61 more"
    assert Named(text=None).text is None


@pytest.mark.parametrize(
    ("found", "page", "total", "more"),
    [(2, 1, 3, True), (2, 1, 2, False), (2, 2, 4, False), (1, 1, None, False), (2, 1, None, True), (0, 9, 5, False)],
)
def test_whether_a_page_follows(found: int, page: int, total: int | None, more: bool):
    assert more_pages(found, page, 2, total) is more
