"""Everything that `docs/performance.md` claims, measured anew: ratios of variants that ran interleaved.

make bench
python -m benchmarks.bench [--only NAME ...] [--quick] [--json FILE]
"""

import argparse
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import (
    alert_rules,
    cold_start,
    dead_collector,
    drops,
    exit_time,
    http_load,
    memory,
    overhead,
    replicas,
    status_page,
)

Figures = dict[str, Any]


def measures(quick: bool) -> dict[str, Callable[[], Figures]]:
    """What can be measured, by name; `quick` is for trying the benchmark itself."""
    share = 5 if quick else 1
    return {
        "stdio": lambda: overhead.stdio(rounds=10 // share, seconds=1.5),
        "http": lambda: overhead.http(rounds=10 // share, seconds=1.5),
        "fifty_clients": lambda: http_load.fifty_clients(rounds=6 // share or 1, seconds=3.0),
        "cold_start": lambda: cold_start.cold_start(rounds=10 // share),
        "exit_time": lambda: exit_time.exit_time(rounds=10 // share),
        "dead_collector": lambda: dead_collector.dead_collector(rounds=1000 // share),
        "drops": lambda: drops.drops(seconds=15.0 / share),
        "alert_rules": lambda: alert_rules.alert_rules(passes=500 // share),
        "replicas": lambda: replicas.replicas(rounds=5 // share, seconds=3.0),
        "status_page": lambda: status_page.status_page(rounds=40 // share, ticks=2),
        "memory": lambda: memory.memory(calls=200_000 // (share * 10 if quick else 1)),
    }


def goals(figures: Figures) -> list[tuple[str, float, str]]:
    """What is aimed at: words, the figure, the goal."""
    rows: list[tuple[str, float, str]] = []
    if found := figures.get("stdio"):
        rows += [
            ("stdio: full telemetry to off, time", found["full"]["wall_to_off"], "<= 1.15"),
            ("stdio: full telemetry to off, CPU", found["full"]["cpu_to_off"], "<= 1.15"),
            (
                "stdio: cached answer with full telemetry to bare FastMCP, time",
                found["cached"]["wall_to_bare"],
                "<= 1.25",
            ),
            ("stdio: off to bare FastMCP, time", found["off"]["wall_to_bare"], "-"),
        ]
    if found := figures.get("http"):
        rows += [
            ("HTTP: full telemetry to off, time", found["full"]["wall_to_off"], "<= 1.15"),
            ("HTTP: full telemetry to off, CPU", found["full"]["cpu_to_off"], "<= 1.15"),
        ]
    if found := figures.get("fifty_clients"):
        rows += [
            ("HTTP, 50 clients: calls a second, full to bare FastMCP", found["full"]["rate_to_bare"], ">= 1.30"),
            ("HTTP, 50 clients: the same with MCP_STATELESS", found["stateless"]["rate_to_bare"], ">= 1.30"),
            ("HTTP, 50 clients: calls a second, full to off", found["full"]["rate_to_off"], "-"),
        ]
    if found := figures.get("cold_start"):
        rows += [
            ("cold start: everything on to bare FastMCP", found["full"]["wall_to_bare"], "<= 1.10"),
            ("cold start: everything on to the bare SDK", found["full"]["wall_to_sdk"], "<= 2.00"),
            ("cold start: everything on to off", found["full"]["wall_to_off"], "-"),
        ]
    rows += dead_collector_goals(figures)
    if found := figures.get("drops"):
        rows.append(("spans lost of 3,000 a second, sink takes 0.2 s", found["lost"], "0"))
    if found := figures.get("alert_rules"):
        words = f"{found['rules']} rules over {found['series']} series, % of their period"
        rows.append((words, found["share_percent"], "< 0.10"))
    if found := figures.get("replicas"):
        for count in ("2", "3"):
            words = f"{count} replicas to 1 on {found['cores']} cores, cached answers a second"
            rows.append((words, found[count]["rate_to_one"], "-"))
    if found := figures.get("status_page"):
        rate, cpu = f"± {found['rate_within']:.3f}", f"± {found['cpu_within']:.3f}"
        rows += [
            (f"status page open to closed: calls a second ({rate})", found["rate_open_to_closed"], ">= 0.98"),
            (f"status page open to closed: CPU time a call ({cpu})", found["cpu_open_to_closed"], "<= 1.02"),
        ]
    if found := figures.get("memory"):
        rows.append((f"memory grown over {found['calls']:,} calls, MiB", found["grown_mib"], "0"))
    return rows


def dead_collector_goals(figures: Figures) -> list[tuple[str, float, str]]:
    """What a dead Collector may cost."""
    rows: list[tuple[str, float, str]] = []
    for transport, found in figures.get("exit_time", {}).items():
        words = f"{transport}: exit after EOF or SIGTERM, dead Collector, seconds"
        rows.append((words, found["dead"]["median_s"], "< 1.0"))
    for transport, found in figures.get("dead_collector", {}).items():
        rows.append((f"{transport}: call with dead Collector to telemetry off", found["dead"]["to_off"], "-"))
    return rows


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(measures(quick=True))
    parser.add_argument("--only", nargs="*", metavar="NAME", help=f"some of: {names}")
    parser.add_argument("--quick", action="store_true", help="a fraction of everything")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/result.json"), help="figures for machines")
    options = parser.parse_args()
    figures: Figures = {}
    for name, measure in measures(options.quick).items():
        if not options.only or name in options.only:
            print(f"... {name}", flush=True)
            figures[name] = measure()
            for words, figure, goal in goals({name: figures[name]}):
                print(f"{words:<66}{figure:>9.3f}  {goal}", flush=True)
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    rows = goals(figures)
    print(f"\nload of the machine at the end: {machine['load']:.1f} on {machine['cores']} cores")
    options.json.write_text(
        json.dumps({"machine": machine, "goals": rows, "figures": figures}, indent=2) + "\n", encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
