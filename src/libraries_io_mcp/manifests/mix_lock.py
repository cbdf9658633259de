"""mix.lock of Elixir: one line a package, read without running it."""

import re
from typing import Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.lines import numbered
from libraries_io_mcp.manifests.manifest import Declared

MAX_ENTRY: Final = 65_536
_HEX: Final = re.compile(r'^\s*"[^"]+":\s*\{:hex,\s*:"?([A-Za-z0-9_]+)"?,\s*"([^"]+)"')


def read_mix_lock(text: str, found: Collector) -> None:
    """Every package locked from hex.pm; the lock does not tell which ones the project names itself."""
    for number, line in numbered(text, found, longest=MAX_ENTRY):
        content = line.strip()
        if content in {"", "%{", "}", "%{}"}:
            continue
        match = _HEX.match(line)
        if match:
            name, version = match.groups()
            found.add(Declared("Hex", name, f"== {version}", version, "locked", direct=None, line=number))
        else:
            found.refuse(content, "not a package of hex.pm: a repository, a path or another line", line=number)
