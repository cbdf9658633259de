"""Gemfile.lock."""

import re
from typing import Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.lines import numbered
from libraries_io_mcp.manifests.manifest import Declared

_ENTRY: Final = re.compile(r"^    \S", re.MULTILINE)
_SPEC: Final = re.compile(r"^    (\S+) \(([^()\s]+)\)$")
_NAMED: Final = re.compile(r"^  ([^\s!]+)")
_DEPENDENCIES: Final = re.compile(r"^DEPENDENCIES\n((?:  [^\n]*\n?)*+)", re.MULTILINE)


def read_gemfile_lock(text: str, found: Collector) -> None:
    """Every gem of a gem server; a version built for several machines is listed once."""
    named = _named(text)
    section = ""
    for number, line in numbered(text, found, entry=_ENTRY):
        if line[:1].isupper():
            section = line.strip()
            continue
        spec = _SPEC.match(line)
        if not spec:
            continue
        name, version = spec.group(1), spec.group(2).partition("-")[0]
        if section == "GEM":
            found.add(Declared("Rubygems", name, f"= {version}", version, "locked", direct=name in named, line=number))
        elif section in {"GIT", "PATH", "PLUGIN SOURCE"}:
            found.refuse(line, f"locked from {section.lower()}, no released version", line=number)


def _named(text: str) -> set[str]:
    """The gems that the project names itself: the last but few lines of the file."""
    block = _DEPENDENCIES.search(text)
    matches = (_NAMED.match(line) for line in block.group(1).split("\n")) if block else ()
    return {match.group(1) for match in matches if match}
