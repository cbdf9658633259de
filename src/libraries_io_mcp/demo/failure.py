"""How the demo says that it could not show what it should."""

from pathlib import Path

from libraries_io_mcp.errors import LibrariesIOMCPError


class DemoError(LibrariesIOMCPError):
    """Something was missing or wrong; the message says what, one complaint a line."""


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of what a child process wrote to stderr."""
    text = log.read_text(encoding="utf-8", errors="replace").strip() if log.exists() else ""
    return "\n".join(text.splitlines()[-lines:]) or "(nothing)"
