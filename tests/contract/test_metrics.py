"""Metrics as they leave the process: states that neither vanish nor lie, sessions, the summary against OTLP."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from tests.support import wire
from tests.support.command import HTTP, Running, environment, launcher
from tests.support.polling import HANG_SECONDS
from tests.support.stand_in import CANARY, sandbox, within_a_minute

from libraries_io_mcp.demo.otlp_model import MetricPoint
from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver


def variables(receiver: OtlpReceiver, base_url: str) -> dict[str, str]:
    return {
        "LIBRARIES_IO_BASE_URL": base_url,
        "LIBRARIES_IO_API_KEY": CANARY,
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_METRIC_EXPORT_INTERVAL": "200",
    }


def values(receiver: OtlpReceiver, name: str) -> list[float | None]:
    return [point.value for point in receiver.points if point.name == name]


def newest(receiver: OtlpReceiver, name: str) -> list[MetricPoint]:
    points = [point for point in receiver.points if point.name == name]
    return [point for point in points if point.time_ns == points[-1].time_ns] if points else []


@pytest.fixture
def sandbox_url() -> Iterator[str]:
    """One of its own for each test, at a moment when no window of its quota is about to end."""
    within_a_minute()
    with sandbox() as url:
        yield url


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """One of its own for each test, since the tests count."""
    with OtlpReceiver() as receiver:
        yield receiver


def test_states_are_there_from_the_start_and_at_every_collection(
    receiver: OtlpReceiver, sandbox_url: str, tmp_path: Path
):
    with Running(folder=tmp_path, **variables(receiver, sandbox_url)) as server:
        server.initialize()
        server.call("get_package_info", platform="npm", name="react")
        left = 99_999.0
        receiver.wait_for(lambda r: left in values(r, "libraries_io.quota.remaining"), "what is left of the quota")
        exports = len(values(receiver, "libraries_io.quota.remaining"))
        receiver.wait_for(lambda r: len(values(r, "libraries_io.quota.remaining")) > exports + 2, "three more")
        assert server.end("EOF") == 0
    for name in ("limit", "remaining", "waiting"):
        found = values(receiver, f"libraries_io.quota.{name}")
        assert len(found) == len(values(receiver, "libraries_io.operations.active"))
    assert values(receiver, "libraries_io.cache.entries")[-1] >= 1
    assert values(receiver, "libraries_io.operations.active")[-1] == 0


def test_a_session_is_measured_when_it_ends(receiver: OtlpReceiver, sandbox_url: str, tmp_path: Path):
    for how in ("EOF", "SIGTERM"):
        with Running(folder=tmp_path / how, **variables(receiver, sandbox_url)) as server:
            server.initialize()
            server.end(how)
    # By process: one that takes its time to end exports its last state twice.
    ended = {
        point.origin.resource["service.instance.id"]: point
        for point in receiver.points
        if point.name == "mcp.server.session.duration"
    }
    assert len(ended) == 2
    assert set(ended) == {span.origin.resource["service.instance.id"] for span in receiver.spans}
    for point in ended.values():
        assert point.attributes == {"mcp.protocol.version": "2025-06-18", "network.transport": "pipe"}
        assert point.count == 1
        assert 0 < point.sum < 600


def test_without_sessions_there_is_no_session(receiver: OtlpReceiver, sandbox_url: str, tmp_path: Path):
    with Running(*HTTP, folder=tmp_path, **variables(receiver, sandbox_url)) as server:
        with httpx.Client(timeout=HANG_SECONDS) as client:
            client.send(wire.tool_call(server.url, wire.MODERN, "get_quota_status")).raise_for_status()
        server.end("SIGTERM")
    assert newest(receiver, "mcp.server.operation.duration")
    assert not newest(receiver, "mcp.server.session.duration")


def test_health_metrics_says_what_otlp_says(receiver: OtlpReceiver, sandbox_url: str, tmp_path: Path):
    with Running(*HTTP, folder=tmp_path, **variables(receiver, sandbox_url)) as server:
        with httpx.Client(timeout=HANG_SECONDS) as client:
            for _ in range(3):
                client.send(wire.tool_call(server.url, wire.MODERN, "get_quota_status")).raise_for_status()
            facts = client.get(f"{server.url[:-3]}health/metrics").json()
        server.end("SIGTERM")
    (point,) = newest(receiver, "mcp.server.operation.duration")
    whole = facts["operations"]["tools/call get_quota_status"]["since_start"]
    assert whole["count"] == point.count == 3
    assert (whole["min"], whole["max"]) == pytest.approx((point.min, point.max), abs=1e-6)
    assert whole["min"] <= whole["median"] <= whole["p95"] <= whole["p99"] <= whole["max"]
    assert facts["uptime_seconds"] > 0
    assert "interpolated" in facts["note"]


@pytest.mark.anyio
async def test_the_summary_is_a_resource(receiver: OtlpReceiver, sandbox_url: str, tmp_path: Path):
    pipe = StdioTransport(
        *launcher(),
        env=environment(tmp_path, **variables(receiver, sandbox_url)),
        cwd=str(tmp_path),
        keep_alive=False,
        log_file=tmp_path / "stderr",
    )
    async with Client(pipe) as client:
        await client.call_tool("get_package_info", {"platform": "npm", "name": "no-such"}, raise_on_error=False)
        (content,) = await client.read_resource("metrics://summary")
    facts = json.loads(content.text)
    assert facts["operations"]["tools/call get_package_info"]["last_5_minutes"]["failures"] == 1
    assert facts["libraries_io_calls"]["/{platform}/{name}"]["since_start"]["success_rate"] == 0
