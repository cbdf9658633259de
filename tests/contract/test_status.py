"""The status page of a real server as browsers ask for it: files, events, traces, and an end that waits for no page."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support import wire
from tests.support.command import HTTP, Running
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.stand_in import CANARY

from libraries_io_mcp.status.feed import MAX_VIEWERS


class Site:
    """A server with a page."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.mcp = server.url
        self.root = self.mcp.removesuffix("/mcp")

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.root}{path}", headers=headers, timeout=HANG_SECONDS)

    def events(self, count: int) -> list[tuple[str, dict[str, Any]]]:
        """The first events that a new page is told."""
        found: list[tuple[str, dict[str, Any]]] = []
        event = ""
        with httpx.stream("GET", f"{self.root}/status/events", timeout=HANG_SECONDS) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    found.append((event, json.loads(line.removeprefix("data: "))))
                if len(found) == count:
                    break
        return found


@pytest.fixture(scope="module")
def site(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that was asked something."""
    folder = tmp_path_factory.mktemp("status")
    variables = {"LIBRARIES_IO_BASE_URL": sandbox_url, "LIBRARIES_IO_API_KEY": CANARY, "ALERT_EVALUATION": "off"}
    with Running(*HTTP, folder=folder, **variables) as server:
        site = Site(server)
        call(site, "requests")
        call(site, '"><img src=x onerror=alert(1)>')
        yield site


def call(site: Site, name: str) -> None:
    """Ask about one package."""
    params = {"name": "get_package_info", "arguments": {"platform": "pypi", "name": name}}
    session = wire.open_session(site.mcp)
    httpx.post(
        site.mcp, headers=session, json=wire.message("tools/call", **params), timeout=HANG_SECONDS
    ).raise_for_status()


def test_the_page_and_its_files_come_under_a_strict_policy(site: Site) -> None:
    for path in ("", "/main.js", "/dom.js", "/status.css", "/icon.svg"):
        answer = site.get(f"/status{path}")
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert site.get("/status").headers["content-type"] == "text/html; charset=utf-8"


def test_what_the_browser_has_is_not_sent_again(site: Site) -> None:
    tag = site.get("/status/main.js").headers["etag"]
    again = site.get("/status/main.js", **{"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["nothing.js", "__init__.py", "..%2Ffeed.py", "%2e%2e/feed.py", "index.html%00.js"])
def test_nothing_else_is_given_out(site: Site, path: str) -> None:
    assert site.get(f"/status/{path}").status_code == 404


def test_events_tell_everything_first_and_then_changes(site: Site) -> None:
    (first, snapshot), (second, tick) = site.events(2)
    assert (first, second) == ("snapshot", "tick")
    parts = {"server", "figures", "quota", "breakers", "cache", "telemetry", "settings", "health", "alerts", "traces"}
    assert parts <= set(snapshot["parts"])
    assert "tools/call get_package_info" in snapshot["parts"]["figures"]["operations"]
    assert snapshot["parts"]["quota"]["key_present"] is True
    assert {each["variable"]: each["value"] for each in snapshot["parts"]["settings"]}["LIBRARIES_IO_API_KEY"] == "***"
    assert "settings" not in tick["parts"]
    assert tick["at"] > snapshot["at"]
    assert CANARY not in json.dumps([snapshot, tick])


def test_a_trace_can_be_opened(site: Site) -> None:
    def trace() -> dict[str, Any] | None:
        traces = site.events(1)[0][1]["traces"]
        return next((each for each in traces if each["packages"] == ["Pypi/requests"]), None)

    summary = poll_until(trace, "the trace of the call")
    opened = site.get(f"/status/traces/{summary['trace_id']}").json()
    names = [span["name"] for span in opened["spans"]]
    assert names[0] == "tools/call get_package_info"
    assert "GET" in names
    assert CANARY not in json.dumps(opened)
    for unknown in ("0" * 32, "nonsense"):
        assert site.get(f"/status/traces/{unknown}").status_code == 404


def test_hostile_text_is_told_as_text(site: Site) -> None:
    def told() -> bool:
        return "<img src=x onerror=alert(1)>" in json.dumps(site.events(1)[0][1]["traces"])

    poll_until(told, "the hostile name in a trace")


def test_too_many_pages_are_refused_and_others_go_on(site: Site) -> None:
    open_: list[Iterator[str]] = []
    with ExitStack() as stack:
        for _ in range(MAX_VIEWERS):
            answer = stack.enter_context(httpx.stream("GET", f"{site.root}/status/events", timeout=HANG_SECONDS))
            # An iterator that is let go of closes the connection.
            open_.append(answer.iter_lines())
            assert next(open_[-1]) == "event: snapshot"
        refused = site.get("/status/events")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
        assert site.get("/status").status_code == 200
    poll_until(lambda: _served(site), "room for a page again")


def _served(site: Site) -> bool:
    with httpx.stream("GET", f"{site.root}/status/events", timeout=HANG_SECONDS) as answer:
        return answer.status_code == 200


def test_an_open_page_does_not_hold_up_the_end(sandbox_url: str, tmp_path: Path) -> None:
    with Running(*HTTP, folder=tmp_path, LIBRARIES_IO_BASE_URL=sandbox_url, ALERT_EVALUATION="off") as server:
        root = server.url.removesuffix("/mcp")
        with httpx.stream("GET", f"{root}/status/events", timeout=HANG_SECONDS) as answer:
            lines = answer.iter_lines()
            assert next(lines) == "event: snapshot"
            assert server.end("SIGTERM") == 143
        assert "Traceback" not in server.stderr
