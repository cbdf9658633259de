"""How many functions a call, a log record and a scrape take: a measure that does not depend on the machine.

    python -m benchmarks.counts [--write]

Python's and C's functions are counted in the thread that serves, by `sys.setprofile`, for one minor version of Python
and the locked libraries. The event loop itself is left out, since how often it turns depends on other threads.
`--write` renews benchmarks/counts.json, which a test compares exactly.
"""

import argparse
import asyncio
import gc
import json
import logging
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

BASELINE: Final = Path(__file__).with_name("counts.json")
ROOT: Final = Path(__file__).parents[1]
PYTHON: Final = "3.11"
"""The minor version that the baseline is for."""
WARM: Final = 20
ROUNDS: Final = 5
_LEFT_OUT: Final = tuple(
    f"{os.sep}{name}"
    for name in (
        f"asyncio{os.sep}",
        "selectors.py",
        "threading.py",
        f"concurrent{os.sep}",
        f"psutil{os.sep}",
        f"system_metrics{os.sep}",
        f"prometheus_client{os.sep}utils.py",
        f"limits{os.sep}aio",
        "exemplar_reservoir.py",
    )
)
"""The event loop; what reads the machine's state or a clock of its own; what draws lots; what writes long numbers."""
NOW: Final = 1_750_000_820.0
PACKAGE: Final = {
    "platform": "NPM",
    "name": "left-pad",
    "description": "String left pad",
    "stars": 1300,
    "dependents_count": 500,
    "versions": [{"number": f"1.{minor}.0", "published_at": "2018-04-09T01:29:44.000Z"} for minor in range(4)],
}


class Counter:
    """Counts calls of functions while it is entered."""

    def __init__(self) -> None:
        self.python = 0
        self.c = 0

    def __enter__(self) -> "Counter":
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_exception: object) -> None:
        sys.setprofile(None)

    def _count(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event in {"call", "c_call"} and not any(part in frame.f_code.co_filename for part in _LEFT_OUT):
            if event == "call":
                self.python += 1
            else:
                self.c += 1

    @property
    def counts(self) -> dict[str, int]:
        """The figures; entering and leaving count as the one C function they are."""
        return {"python": self.python, "c": self.c - 1}


async def _counted(once: Callable[[int], Awaitable[object]]) -> dict[str, int]:
    """The least of some rounds: what another thread causes can only add to it."""
    for number in range(WARM):
        await once(number)
    rounds = []
    for number in range(WARM, WARM + ROUNDS):
        with Counter() as counter:
            await once(number)
        rounds.append(counter.counts)
    return min(rounds, key=lambda counts: (counts["python"], counts["c"]))


async def measure() -> dict[str, dict[str, int]]:
    """The counts by what was done."""
    import httpx  # noqa: PLC0415 - after the environment is set
    from fastmcp import Client  # noqa: PLC0415
    from prometheus_client import generate_latest  # noqa: PLC0415

    from libraries_io_mcp.app import build_app  # noqa: PLC0415
    from libraries_io_mcp.settings import load_settings  # noqa: PLC0415

    limits = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59", "x-ratelimit-reset": "40"}

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        return httpx.Response(200, headers=limits, json={**PACKAGE, "name": name})

    async def never(_seconds: float) -> None:
        await asyncio.Event().wait()

    moment = [NOW]
    app = build_app(
        load_settings(transport="http"), now=lambda: moment[0], sleep=never, network=httpx.MockTransport(answer)
    )
    logger = logging.getLogger("libraries_io_mcp.counts")
    async with Client(app.server) as client:

        async def ask(name: str) -> None:
            result = await client.call_tool("get_package_info", {"platform": "npm", "name": name})
            assert result.structured_content is not None
            assert result.structured_content["name"] == name

        async def cached(_number: int) -> None:
            await ask("left-pad")

        async def uncached(number: int) -> None:
            moment[0] = NOW + 61 * (number + 1)
            await ask(f"package-{number:03}")

        async def record(number: int) -> None:
            logger.info("a record of %s", "a test", extra={"libraries_io.number": number})

        async def scrape(_number: int) -> None:
            generate_latest(app.telemetry.registry)

        async def settled() -> None:
            """Return when health checks and the metrics of the process, which begin late, have brought their series."""
            same, before = 0, -1
            while same < 20:
                text = generate_latest(app.telemetry.registry)
                series = text.count(b"\n") if b"\nprocess_cpu_time" in text else -1
                same, before = (same + 1, before) if series == before != -1 else (0, series)
                await asyncio.sleep(0.02)

        gc.disable()
        await cached(0)
        await settled()
        return {
            "cached call": await _counted(cached),
            "uncached call": await _counted(uncached),
            "log record": await _counted(record),
            "scrape": await _counted(scrape),
        }


def run() -> dict[str, dict[str, int]]:
    """The counts of this checkout, measured in a process of its own."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONHASHSEED": "0",
        "LIBRARIES_IO_API_KEY": "0123456789abcdef0123456789abcdef",
        "ALERT_EVALUATION": "off",
        "LOG_ENABLE_CONSOLE": "false",
    }
    done = subprocess.run(
        (sys.executable, "-m", "benchmarks.counts", "--here"),
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    counts: dict[str, dict[str, int]] = json.loads(done.stdout)
    return counts


def main() -> None:
    """Measure and print, or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="renew benchmarks/counts.json")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    counts = asyncio.run(measure()) if options.here else run()
    text = json.dumps(counts, indent=2)
    print(text)
    if options.write:
        if not sys.version.startswith(f"{PYTHON}."):
            parser.error(f"the baseline is for Python {PYTHON}")
        BASELINE.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
