"""A manifest line by line, within limits: what a reader is too full for is counted, not parsed."""

import re
from collections.abc import Iterator
from typing import Final

from libraries_io_mcp.manifests.collector import Collector

MAX_LINE: Final = 8_192
_EMPTY: Final = re.compile(r"\n*+")
ANY_ENTRY: Final = re.compile(r"^[ \t]*+[^\s#/]", re.MULTILINE)


def numbered(
    text: str, found: Collector, *, longest: int = MAX_LINE, entry: re.Pattern[str] = ANY_ENTRY
) -> Iterator[tuple[int, str]]:
    r"""Lines as (1-based number, text without its end); longer ones become unread pieces.

    Stops as soon as the collector is full, and counts what is left: the matches of `entry`. Splits at `\n`
    only: a manifest that holds other separators keeps its line numbers.
    """
    start = number = 0
    while start < len(text):
        if found.full:
            found.skip(sum(1 for _ in entry.finditer(text, start)))
            return
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        number += 1
        if end - start > longest:
            found.refuse(text[start : start + 300], f"the line is longer than {longest} characters", line=number)
        else:
            yield number, text[start:end]
        start = end + 1
        if end == start - 1 and text.startswith("\n\n", start - 2):
            # A run of empty lines counts, but only its first is handed out: millions of them cost no time.
            run = _EMPTY.match(text, start)
            number += run.end() - start if run else 0
            start = run.end() if run else start
