"""Foreign text in Markdown stays text, whatever it tries; held against a CommonMark parser with tables."""

import html

import pytest
from markdown_it import MarkdownIt

from libraries_io_mcp.judging.markdown import NOTHING, code, table

HOSTILE = [
    "a|b",
    "a\\|b",
    "a\\\\|b`|c",
    "`` ` ``",
    "<script>alert(1)</script>",
    "<img src=x onerror=y>",
    "![x](https://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "https://evil.example www.evil.example",
    "@somebody #1 GH-2",
    "**bold** _it_ ~~no~~ # head",
    "&lt;b&gt; &#60;",
    "| --- | --- |",
    "^7 || ^8",
    "-->",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_is_one_code_span_with_the_very_text(text: str):
    markdown = "\n".join(table(("a", "b"), [(code(text), "end")]))
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    cells = shown.partition("<tbody>")[2].split("<td>")[1:]
    assert len(cells) == 2
    inside = cells[0].partition("</td>")[0]
    assert inside.startswith("<code>")
    assert inside.endswith("</code>")
    assert html.unescape(inside.removeprefix("<code>").removesuffix("</code>")) == text
    assert inside.count("<") == 2


def test_lines_and_lengths():
    assert code("a\n## b\r\n\x1b[31m\u202ec") == "`a ## b [31mc`"
    assert len(code("x" * 999)) == 202
    assert code(None) == code(" \n") == NOTHING
