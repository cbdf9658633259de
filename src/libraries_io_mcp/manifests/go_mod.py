"""go.mod."""

import re
from typing import Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.lines import numbered
from libraries_io_mcp.manifests.manifest import Declared

_QUOTED: Final = re.compile(r"^[\"`](.*)[\"`]$")
_SILENT: Final = frozenset({"module", "go", "toolchain", "godebug"})
_NOTED: Final = {
    "replace": "the build uses another module or directory instead; the required one is listed all the same",
    "exclude": "an excluded version, declares nothing",
    "retract": "versions the module itself takes back, no dependency",
    "tool": "a command out of a required module",
    "ignore": "a directory that Go passes over",
}


def read_go_mod(text: str, found: Collector) -> None:
    """Every required module with its line; replace, exclude and tool become unread pieces."""
    block = ""
    for number, line in numbered(text, found):
        content, _, comment = (part.strip() for part in line.partition("//"))
        if not content:
            continue
        if block and content == ")":
            block = ""
            continue
        words = [_QUOTED.sub(r"\1", word) for word in content.split(None, 50)]
        directive, rest = (block, words) if block else (words[0], words[1:])
        if not block and rest == ["("]:
            block = directive
        else:
            _read_directive(directive, rest, comment, content, number, found)


def _read_directive(
    directive: str, words: list[str], comment: str, content: str, number: int, found: Collector
) -> None:
    if directive == "require" and len(words) == 2:
        indirect = comment.partition(";")[0].strip() == "indirect"
        found.add(
            Declared(
                platform="Go",
                name=words[0],
                requirement=words[1],
                version=words[1],
                kind="indirect" if indirect else "runtime",
                direct=not indirect,
                line=number,
            )
        )
    elif directive not in _SILENT:
        found.refuse(content, _NOTED.get(directive, "not a directive of go.mod"), line=number)
