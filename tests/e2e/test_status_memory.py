"""Eight hours of the status page in simulated time: server and page hold at the end what they held at one hour."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from tests.servers.ports import free_ports
from tests.support.browser import Browser, browser
from tests.support.command import Running
from tests.support.own_process import in_own_process
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.simulated_server import ENTRIES, HOURS, whole_day
from tests.support.simulated_work import Work, eight_hours

TICK_SECONDS: Final = 15
HOUR_TICKS: Final = 3600 // TICK_SECONDS
LONGEST_SECONDS: Final = 600.0
FAKE: Final = Path(__file__).with_name("simulated_stream.js")


def first_message(url: str) -> dict[str, Any]:
    """What a real server tells first."""
    with httpx.stream("GET", f"{url}/events", timeout=HANG_SECONDS) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                found: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return found
    raise AssertionError("the stream has ended")


def in_eight_hours() -> tuple[int, list[int], list[int]]:
    """In a process where nobody else needs memory."""
    return eight_hours(Work(tick_seconds=TICK_SECONDS, requests=8))


def test_the_server_stays_flat() -> None:
    grown, at_one, at_eight = in_own_process(in_eight_hours)
    sys.stdout.write(f"server: {grown} bytes grown from hour two to eight; kept at one {at_one}, at eight {at_eight}\n")
    assert at_eight == pytest.approx(at_one, rel=0.05)
    assert grown < 300_000


def test_the_whole_server_stays_flat() -> None:
    """With questions, quota, cache, health checks and alert rules: what is held after two hours, and after eight."""
    held = in_own_process(whole_day)
    sys.stdout.write("".join(f"hour {hour}: {dict(each)}\n" for hour, each in enumerate(held, 1)))
    second, last = held[1], held[-1]
    assert len(held) == HOURS
    assert last["cache_entries"] == second["cache_entries"] == ENTRIES
    assert last["blocks"] <= second["blocks"] * 1.02
    assert last["alert_series"] <= second["alert_series"] + 10


def test_the_page_stays_flat(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Running("serve", "--transport", "http", "--port", str(port), folder=tmp_path) as server, browser() as page:
        url = server.url.removesuffix("/mcp") + "/status"
        first = json.dumps(json.dumps(first_message(url)))
        script = f"const TICK = {TICK_SECONDS}; const FIRST = {first};\n{FAKE.read_text(encoding='utf-8')}"
        page.command("Page.addScriptToEvaluateOnNewDocument", source=script)
        page.open(url)
        found: dict[int, dict[str, int]] = {}
        for hour in (1, 2, 4, 8):
            ticks = hour * HOUR_TICKS
            page.value(f"window.until = {ticks}")
            drawn = f'document.getElementById("logs-body").textContent.includes("message {ticks - 1} ")'
            poll_until(lambda drawn=drawn: page.value(drawn), f"hour {hour} on the page", LONGEST_SECONDS)
            found[hour] = held(page)
        sys.stdout.write(f"page: {found}\n")
        # What is no longer needed may take a while until it is collected; what leaks never is.
        poll_until(lambda: flat(found[1], held(page)), f"what was held at one hour, or less: {found}", HANG_SECONDS)
        assert page.severe() == []


def held(page: Browser) -> dict[str, int]:
    """What the page holds now."""
    return {**page.memory(), **page.heap()}


def flat(before: Mapping[str, int], after: Mapping[str, int]) -> bool:
    """Whether no more is held than before, but for a tenth, and a quarter of the data: tables have room to spare.

    How much machine code the engine makes of the same functions, which is in the heap as well, is its own affair.
    """
    most = {"nodes": 1.1, "listeners": 1.1, "functions": 1.1, "native": 1.1, "data": 1.25}
    return all(after[name] <= before[name] * factor for name, factor in most.items())
