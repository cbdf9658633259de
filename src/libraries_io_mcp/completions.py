"""Completions while somebody types an argument: names of platforms and SPDX ids of licences."""

from collections.abc import Iterable
from typing import Final

import mcp_types
from fastmcp import FastMCP
from fastmcp.server.completions import CompletionReference

from libraries_io_mcp.librariesio.platforms import STORED

LICENCES: Final = (
    "0BSD", "AFL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause",
    "BSD-3-Clause", "BSL-1.0", "CC-BY-4.0", "CC0-1.0", "CDDL-1.0", "ECL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.2",
    "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "ISC", "LGPL-2.1-only",
    "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0", "MPL-2.0", "MS-PL", "NCSA", "OFL-1.1",
    "PostgreSQL", "PSF-2.0", "Python-2.0", "Ruby", "Unlicense", "UPL-1.0", "Vim", "W3C", "WTFPL", "X11", "Zlib",
    "ZPL-2.1",
)  # fmt: skip
"""The licences that most packages have. Any SPDX expression may be typed; these only save typing."""
LICENCE_ARGUMENTS: Final = frozenset({"license", "licenses", "licence", "licences", "project_license"})
PLATFORM_ARGUMENTS: Final = frozenset({"platform", "platforms", "from_platform", "to_platform"})


def register_completions(server: FastMCP) -> None:
    """Answer for every argument of that name, of resource templates and prompts alike."""

    @server.completion
    def complete(
        _reference: CompletionReference,
        argument: mcp_types.CompletionArgument,
        _context: mcp_types.CompletionContext | None,
    ) -> list[str]:
        if argument.name in PLATFORM_ARGUMENTS:
            return matches(argument.value, STORED)
        if argument.name in LICENCE_ARGUMENTS:
            return matches(argument.value, LICENCES)
        return []


def matches(typed: str, names: Iterable[str]) -> list[str]:
    """The names that begin with what was typed, then those that hold it; of a comma list the last part counts."""
    part = typed.rpartition(",")[2].strip().lower()
    found = [name for name in names if part in name.lower()]
    return sorted(found, key=lambda name: (not name.lower().startswith(part), name.lower()))
