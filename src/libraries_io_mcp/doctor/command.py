"""The command: examines, prints one line a finding or JSON, and ends with the exit code."""

import asyncio
import json
import os
import sys
import time
from typing import Final, NoReturn, TextIO

from libraries_io_mcp.doctor.examination import Examination, about, examine_everything, examine_running
from libraries_io_mcp.doctor.finding import Finding, State

_COLOURS: Final[dict[State, str]] = {"ok": "32", "warning": "33", "broken": "1;31", "skipped": "2"}
_NAME_WIDTH: Final = 16
_STATE_WIDTH: Final = 8


def run(*, as_json: bool, only_server: bool, url: str | None) -> NoReturn:
    """Examine everything, or `only_server`; print; exit with 1 if something is broken, else with 0."""
    # Not asyncio.run, which waits for threads: one may hang in the resolution of a name.
    examination = asyncio.new_event_loop().run_until_complete(_examine(only_server=only_server, url=url))
    if as_json:
        print(json.dumps(examination.facts(), indent=2))  # noqa: T201 - what the command is for
    else:
        show(examination, sys.stdout)
    sys.stdout.flush()
    # The interpreter's own end would wait for it as well.
    os._exit(1 if examination.broken else 0)


async def _examine(*, only_server: bool, url: str | None) -> Examination:
    return await (examine_running(url) if only_server else examine_everything(time.time))


def show(examination: Examination, out: TextIO) -> None:
    """Print one line a finding; in colours on a terminal."""
    coloured = out.isatty()
    facts = about()
    lines = [f"libraries-io-mcp {facts['version']}, Python {facts['python']}, {facts['platform']}"]
    lines += [line(finding, coloured=coloured) for finding in examination.findings]
    counts = [
        f"{count} {state}"
        for state in _COLOURS
        if (count := sum(finding.state == state for finding in examination.findings))
    ]
    out.write("\n".join([*lines, ", ".join(counts)]) + "\n")


def line(finding: Finding, *, coloured: bool) -> str:
    """One finding: its state, its name, what was tried, what came back, what to do."""
    state = f"{finding.state:<{_STATE_WIDTH}}"
    if coloured:
        state = f"\x1b[{_COLOURS[finding.state]}m{state}\x1b[0m"
    advice = f" -> {finding.what_to_do}" if finding.what_to_do else ""
    return f"{state} {finding.name:<{_NAME_WIDTH}} {finding.tried}: {finding.found}{advice}"
