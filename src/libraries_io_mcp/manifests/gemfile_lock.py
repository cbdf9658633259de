"""Gemfile.lock."""

import re
from typing import Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.lines import numbered
from libraries_io_mcp.manifests.manifest import Declared

_ENTRY: Final = re.compile(r"^    \S", re.MULTILINE)
_SOURCES: Final = frozenset({"GEM", "GIT", "PATH", "PLUGIN SOURCE"})
_SECTIONS: Final = _SOURCES | {"PLATFORMS", "DEPENDENCIES", "RUBY VERSION", "BUNDLED WITH", "CHECKSUMS"}
_DETAIL: Final = re.compile(r"^  [a-z_]+:|^      \S")
"""Of a source: where it is, and what its gems depend on, which have lines of their own."""
_SPEC: Final = re.compile(r"^    (\S+) \(([^()\s]+)\)$")
_NAMED: Final = re.compile(r"^  ([^\s!]+)")
_DEPENDENCIES: Final = re.compile(r"^DEPENDENCIES\n((?:  [^\n]*\n?)*+)", re.MULTILINE)


def read_gemfile_lock(text: str, found: Collector) -> None:
    """Every gem of a gem server; a version built for several machines is listed once."""
    named = _named(text)
    section = ""
    for number, line in numbered(text, found, entry=_ENTRY):
        if line[:1].strip():
            section = line.strip()
            if section not in _SECTIONS:
                found.refuse(line, "not a section of a Gemfile.lock", line=number)
        elif section in _SOURCES and line.strip() and not _DETAIL.match(line):
            _read_spec(section, line, named, number, found)


def _read_spec(section: str, line: str, named: set[str], number: int, found: Collector) -> None:
    spec = _SPEC.match(line)
    if not spec:
        found.refuse(line, "not a gem with its version", line=number)
        return
    name, version = spec.group(1), spec.group(2).partition("-")[0]
    if section == "GEM":
        found.add(Declared("Rubygems", name, f"= {version}", version, "locked", direct=name in named, line=number))
    else:
        found.refuse(line, f"locked from {section.lower()}, no released version", line=number)


def _named(text: str) -> set[str]:
    """The gems that the project names itself: the last but few lines of the file."""
    block = _DEPENDENCIES.search(text)
    matches = (_NAMED.match(line) for line in block.group(1).split("\n")) if block else ()
    return {match.group(1) for match in matches if match}
