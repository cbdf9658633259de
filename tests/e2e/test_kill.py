"""kill -9 under load: what had been sent is there, clients see it at once, and the next start finds all in order."""

import json
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.command import Running
from tests.support.endings import CODES, assert_quiet, counts, use
from tests.support.endings_under_load import all_in_flight, asking, start
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.upstream import Upstream

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

ANSWERED = 20
RULES = """\
groups:
- name: always
  interval: 1s
  rules:
  - {alert: AlwaysThere, expr: libraries_io_operations_active >= 0, labels: {severity: low}}
"""


def firing(server: Running) -> list[dict[str, Any]]:
    url = server.url.replace("/mcp", "/alerts")
    active = httpx.get(url, timeout=HANG_SECONDS).json()["active"]
    return [alert for alert in active if alert["state"] == "firing"]


def known(alert: dict[str, Any]) -> tuple[Any, ...]:
    return alert["fingerprint"], alert["fired_at"]


def has_all(receiver: OtlpReceiver) -> bool:
    """Whether every answered call is in all signals."""
    ended = [log for log in receiver.logs if log.event_name == "libraries_io.operation.completed"]
    logs = [log for log in ended if log.body.startswith("tools/call get_quota_status")]
    spans = [span for span in receiver.spans if span.name == "tools/call get_quota_status"]
    return len(logs) == len(spans) == ANSWERED and counts(receiver, "get_quota_status")[2] == ANSWERED


def log_lines(folder: Path) -> list[dict[str, Any]]:
    """All lines of the rotated files; fails on one that is cut."""
    files = sorted(folder.glob("lines.jsonl*"))
    assert len(files) > 1, "nothing was rotated"
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_what_was_sent_is_there_and_the_next_start_works(tmp_path: Path):
    rules, state = tmp_path / "rules.yml", tmp_path / "alerts.json"
    rules.write_text(RULES)
    variables = {
        "ALERT_RULES_PATH": str(rules),
        "ALERT_STATE_FILE": str(state),
        "LOG_FILE": str(tmp_path / "log" / "lines.jsonl"),
        "LOG_MAX_BYTES": "5000",
        "OTEL_METRIC_EXPORT_INTERVAL": "100",
    }
    with OtlpReceiver() as live, Upstream() as upstream:
        with start("http", live, upstream, tmp_path / "first", **variables) as server:
            use(server, "http", ANSWERED)
            (alert,) = poll_until(lambda: firing(server), "the alert to fire")
            poll_until(lambda: state.exists() and b"AlwaysThere" in state.read_bytes(), "the state to be saved")
            with asking(server, "hang", "modern") as connections:
                all_in_flight(server)
                live.wait_for(has_all, "what has been answered")
                server.process.kill()
                for each in connections:
                    assert_reset(each)
            server.process.wait(HANG_SECONDS)
        # Calls that never ended are in no signal; those that ended are in all of them, once.
        assert counts(live, "get_quota_status") == (ANSWERED,) * 3
        assert counts(live) == (0, 0, 0)
        assert log_lines(tmp_path / "log")
        with start("http", live, upstream, tmp_path / "second", **variables) as server:
            use(server, "http", 1)
            poll_until(lambda: known(alert) in map(known, firing(server)), "the alert to fire on")
            assert server.end("SIGTERM") == CODES["SIGTERM"]
            assert_quiet(server)
        assert log_lines(tmp_path / "log")[-1]


def assert_reset(connection: HTTPConnection) -> None:
    """The client learns of it, and gets nothing that looks like an answer."""
    with pytest.raises(ConnectionError):
        connection.getresponse()
