"""TOML text to its table, or a clear error.

tomllib is correct but not frugal: a text of 10 MiB made of short tables or of one long dotted key costs gigabytes,
and nesting ends in a RecursionError. So the text is measured first, in one linear pass outside strings and comments.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

from libraries_io_mcp.manifests.faults import ManifestError

MAX_DEPTH: Final = 60
MAX_KEY_PARTS: Final = 60
MAX_PARTS: Final = 400_000
_WEIGHT: Final = {"=": 1, "{": 1, "[": 1, ".": 2}
"""What tomllib keeps for each: a dotted key costs a table and the record of how it was made."""
_TOKEN: Final = re.compile(r"\"\"\"|'''|[\"'#\n\[\]{}.=,]")
_END: Final = {
    '"""': re.compile(r"\\.|\"\"\"", re.DOTALL),
    "'''": re.compile(r"'''"),
    '"': re.compile(r"\\.|[\"\n]"),
    "'": re.compile(r"['\n]"),
    "#": re.compile(r"\n"),
}


def toml_table(text: str) -> dict[str, Any]:
    """The table that the text holds.

    Raises:
        ManifestError: not TOML, nested too deep, or of more parts than a manifest has.
    """
    _measure(text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"The manifest is not valid TOML: {str(error)[:200]}.") from None
    except (ValueError, RecursionError):
        raise ManifestError("The manifest is not valid TOML: a value is beyond what can be read.") from None


def _measure(text: str) -> None:
    depth = dots = parts = 0
    for mark in _structure(text):
        parts += _WEIGHT.get(mark, 0)
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth = max(0, depth - 1)
        dots = dots + 1 if mark == "." else (0 if mark in "\n=," else dots)
        if depth > MAX_DEPTH or dots > MAX_KEY_PARTS:
            raise ManifestError("The manifest is nested too deep to be read.")
        if parts > MAX_PARTS:
            raise ManifestError("The manifest has more keys and tables than any project; send a smaller one.")


def _structure(text: str) -> Iterator[str]:
    """The marks that shape the document. A string without end stops the pass: tomllib will say so."""
    position = 0
    while token := _TOKEN.search(text, position):
        position = token.end()
        mark = token.group()
        if mark in _END:
            end = _end_of(text, position, _END[mark])
            if end is None:
                return
            position = end
        else:
            yield mark


def _end_of(text: str, position: int, ending: re.Pattern[str]) -> int | None:
    while match := ending.search(text, position):
        position = match.end()
        if not match.group().startswith("\\"):
            return position
    return None
