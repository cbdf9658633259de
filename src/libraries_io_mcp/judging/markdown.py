"""Foreign text inside Markdown: as code, so that it can't become a table, a link, HTML, a mention or an image."""

from collections.abc import Iterable, Sequence
from typing import Final

from libraries_io_mcp.answer.model import plain

NOTHING: Final = "-"


def code(text: str | None, longest: int = 200) -> str:
    """One line of foreign text as a code span, whatever it holds.

    A backtick would end a span, and a backslash before a pipe would end a table's cell: text with either of them is
    written out in character references instead.
    """
    line = plain(text or "")
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    if not line:
        return NOTHING
    if "`" in line or "\\" in line:
        return f"<code>{''.join(_reference(sign) for sign in line)}</code>"
    return f"`{line}`".replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; the cells are Markdown already."""
    return [table_row(head), table_row(["---"] * len(head)), *(table_row(row) for row in rows)]


def table_row(cells: Sequence[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def _reference(sign: str) -> str:
    return sign if sign.isalnum() or sign == " " else f"&#{ord(sign)};"
