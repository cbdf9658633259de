"""A server behind a proxy: it says that it leaves before it does, and keeps nothing that only it has."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.command import HTTP, Running
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.stand_in import CANARY

LONG = "250"
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "get_package_info", "arguments": {"platform": "npm", "name": "express"}},
}


@pytest.fixture
def variables(sandbox_url: str) -> dict[str, str]:
    return {"LIBRARIES_IO_BASE_URL": sandbox_url, "LIBRARIES_IO_API_KEY": CANARY, "MCP_STATELESS": "true"}


@pytest.fixture
def patient(tmp_path: Path, variables: dict[str, str]) -> Iterator[Running]:
    """Serves on for minutes after a signal."""
    with Running(*HTTP, folder=tmp_path, **variables, MCP_SHUTDOWN_DELAY_SECONDS=LONG) as running:
        yield running


def ready(base: str) -> int:
    return httpx.get(f"{base}/health/ready", timeout=HANG_SECONDS).status_code


def call(url: str) -> dict[str, Any]:
    """One call with no session before it, as a proxy may send it to any replica."""
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}
    answer = httpx.post(url, json=CALL, headers=headers, timeout=HANG_SECONDS).raise_for_status()
    assert answer.headers["content-type"] == "application/json"
    assert "mcp-session-id" not in answer.headers
    return answer.json()["result"]["structuredContent"]


def test_it_is_not_ready_any_more_but_answers_on(patient: Running):
    base = patient.url.removesuffix("/mcp")
    poll_until(lambda: ready(base) == 200, "the server to be ready")
    patient.ask_to_end("SIGTERM")
    poll_until(lambda: ready(base) == 503, "the server to say that it leaves")
    assert httpx.get(f"{base}/health", timeout=HANG_SECONDS).status_code == 200
    assert call(patient.url)["name"] == "express"
    assert patient.process.poll() is None
    # Whoever does not want to wait asks twice.
    assert patient.end("SIGTERM") == -signal.SIGTERM


def test_it_ends_by_itself_after_the_delay(tmp_path: Path, variables: dict[str, str]):
    with Running(*HTTP, folder=tmp_path, **variables, MCP_SHUTDOWN_DELAY_SECONDS="0.5") as running:
        assert call(running.url)["name"] == "express"
        assert running.end("SIGTERM") == 128 + signal.SIGTERM
        assert "ending on SIGTERM" in running.stderr
