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
_KINDS: Final[dict[str, DependencyKind]] = {
    "install_requires": "runtime",
    "setup_requires": "build",
    "tests_require": "test",
}


def read_setup_cfg(text: str, found: Collector) -> None:
    """install_requires, setup_requires, tests_require and the extras, with their lines."""
    section = key = ""
    for number, line in numbered(text, found):
        content = line.strip()
        if not content or content[0] in "#;":
            continue
        if line[0] == "[":
            section, key = content.strip("[]").strip(), ""
            continue
        if line[0] not in " \t":
            match = _KEY.match(line)
            key, content = (match.group(1), match.group(2).strip()) if match else ("", "")
        if content:
            _read_value(section, key, content, number, found)


def _read_value(section: str, key: str, content: str, number: int, found: Collector) -> None:
    if section == "options.extras_require" and key:
        kind: DependencyKind = "optional"
        group: str | None = key
    elif section == "options" and key in _KINDS:
        kind, group = _KINDS[key], None
    else:
        return
    if content.startswith(("file:", "%")):
        found.refuse(content, "a reference to another file; only the text at hand is read", line=number)
        return
    read_requirement(content, found, kind=kind, group=group, optional=kind == "optional", line=number)
