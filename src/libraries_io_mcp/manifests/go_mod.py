"""go.mod."""

import re
from typing import Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.lines import numbered
from libraries_io_mcp.manifests.manifest import Declared

_QUOTED: Final = re.compile(r"^[\"`](.*)[\"`]$")
_REPLACED: Final = "the build uses another module or directory instead; the required one is listed all the same"
_NOTED: Final = {
    "module": "the module itself",
    "go": "the version of Go, not a module",
    "toolchain": "the version of Go, not a module",
    "godebug": "a setting of Go",
    "exclude": "an excluded version, declares nothing",
    "retract": "versions the module itself takes back, no dependency",
    "tool": "a command out of a required module",
    "ignore": "a directory that Go passes over",
}


def read_go_mod(text: str, found: Collector) -> None:
    """Every required module with its line; replaced ones become unread pieces, what declares nothing is noted."""
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
    elif directive in _NOTED:
        found.note(content, _NOTED[directive], line=number)
    else:
        found.refuse(content, _REPLACED if directive == "replace" else "not a directive of go.mod", line=number)
