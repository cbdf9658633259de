"""The `[options]` sections of setup.cfg.

Read line by line instead of by configparser, whose patterns take quadratic time for a long line of blanks, and which
does not tell line numbers.
"""

import re
from typing import Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.lines import numbered
from libraries_io_mcp.manifests.manifest import DependencyKind
from libraries_io_mcp.manifests.pep508 import read_requirement

_KEY: Final = re.compile(r"^([A-Za-z0-9_.-]+)[ \t]*[=:](.*)$")
_SECTIONS: Final = frozenset({"options", "options.extras_require"})
_KINDS: Final[dict[str, DependencyKind]] = {
    "install_requires": "runtime",
    "setup_requires": "build",
    "tests_require": "test",
}


def read_setup_cfg(text: str, found: Collector) -> None:
    """install_requires, setup_requires, tests_require and the extras, with their lines; other sections are noted."""
    section = key = ""
    for number, line in numbered(text, found):
        content = line.strip()
        if not content or content[0] in "#;":
            continue
        if line[0] == "[":
            section, key = content.strip("[]").strip(), ""
            if section not in _SECTIONS:
                found.note(content, "a section without dependencies", line=number)
        elif section in _SECTIONS:
            key = _read_line(section, key, line, number, found)
        elif not section:
            found.refuse(content, "stands in no section", line=number)


def _read_line(section: str, key: str, line: str, number: int, found: Collector) -> str:
    """The key to which the line belongs."""
    content = line.strip()
    if line[0] not in " \t":
        match = _KEY.match(line)
        if not match:
            found.refuse(content, "neither a key nor a part of a value", line=number)
            return ""
        key, content = match.group(1), match.group(2).strip()
        if section == "options" and key not in _KINDS:
            found.note(line, "no list of dependencies", line=number)
    if content:
        _read_value(section, key, content, number, found)
    return key


def _read_value(section: str, key: str, content: str, number: int, found: Collector) -> None:
    if section == "options.extras_require" and key:
        kind: DependencyKind = "optional"
        group: str | None = key
    elif section == "options" and key in _KINDS:
        kind, group = _KINDS[key], None
    else:
        if not key:
            found.refuse(content, "belongs to no key", line=number)
        return
    if content.startswith(("file:", "%")):
        found.refuse(content, "a reference to another file; only the text at hand is read", line=number)
        return
    read_requirement(content, found, kind=kind, group=group, optional=kind == "optional", line=number)
