"""How long the server takes to end, by transport, state of the Collector, and what ends it.

Each run starts the installed command, makes one call, ends it and takes the time until the process is gone.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support import wire
from tests.support.collectors import STATES, collector
from tests.support.command import Running, server_arguments

ENDINGS: Final = {"stdio": ("EOF", "SIGINT", "SIGTERM"), "http": ("SIGINT", "SIGTERM")}
CODES: Final = {"EOF": 0, "SIGINT": 130, "SIGTERM": 143}


def seconds_to_end(transport: str, state: str, how: str, folder: Path) -> float:
    """Start, call once, end; the seconds from the signal to the end of the process."""
    with collector(state) as variables, Running(*server_arguments(transport), folder=folder, **variables) as server:
        if transport == "stdio":
            server.initialize()
            server.call("get_quota_status")
        else:
            with httpx.Client() as client:
                client.send(wire.tool_call(server.url, wire.MODERN, "get_quota_status")).raise_for_status()
        began = time.perf_counter()
        code = server.end(how)
        took = time.perf_counter() - began
        if code != CODES[how]:
            raise SystemExit(f"{transport}, {state}, {how}: exit code {code}, not {CODES[how]}")
        return took


def exit_time(rounds: int) -> dict[str, Any]:
    """The median of the seconds to end, by transport and state of the Collector; all endings of a transport alike."""
    taken: dict[str, dict[str, list[float]]] = {
        transport: {state: [] for state in ("dead", "black hole", "live")} for transport in ENDINGS
    }
    with tempfile.TemporaryDirectory() as place:
        for number in range(rounds):
            for transport, states in taken.items():
                for state, seconds in states.items():
                    how = ENDINGS[transport][number % len(ENDINGS[transport])]
                    folder = Path(place) / f"{number}-{transport}-{state}"
                    seconds.append(seconds_to_end(transport, state, how, folder))
    return {
        transport: {
            state: {"median_s": statistics.median(seconds), "longest_s": max(seconds)}
            for state, seconds in states.items()
        }
        for transport, states in taken.items()
    }


def main() -> int:
    """Measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="runs of each row (default: 10)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    options = parser.parse_args()
    cases = [(transport, state, how) for transport in ENDINGS for state in STATES for how in ENDINGS[transport]]
    taken: dict[tuple[str, str, str], list[float]] = {case: [] for case in cases}
    with tempfile.TemporaryDirectory() as place:
        for run in range(options.runs):
            # One of each after the other, so that what else the machine does meets all rows alike.
            for number, case in enumerate(cases):
                taken[case].append(seconds_to_end(*case, Path(place) / f"{run}-{number}"))
    rows: list[dict[str, Any]] = []
    print(f"{'transport':<10}{'collector':<12}{'ended by':<10}{'runs':>5}{'median s':>10}{'max s':>8}")
    for (transport, state, how), seconds in taken.items():
        median, longest = statistics.median(seconds), max(seconds)
        print(f"{transport:<10}{state:<12}{how:<10}{len(seconds):>5}{median:>10.3f}{longest:>8.3f}")
        rows.append({"transport": transport, "collector": state, "ended_by": how, "seconds": seconds})
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
