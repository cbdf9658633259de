"""A real server in good and bad days: what its checks find, the same wherever it is asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastmcp import Client
from tests.support.collectors import unused_port
from tests.support.command import HTTP, Running
from tests.support.health import statuses_become
from tests.support.polling import HANG_SECONDS
from tests.support.stand_in import CANARY, FEW_KEY, REFUSED_CANARY
from tests.support.upstream import Upstream
from tests.support.valkey import running_valkey

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

pytestmark = pytest.mark.anyio
OFTEN = {"HEALTH_CHECK_SECONDS": "0.2", "LIBRARIES_IO_API_KEY": CANARY, "LIBRARIES_IO_TIMEOUT_SECONDS": "4"}
TELEMETRY = {
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "OTEL_BLRP_SCHEDULE_DELAY": "100",
    "OTEL_METRIC_EXPORT_INTERVAL": "300",
    # Seconds: an export to a Collector that is gone is given up after this long.
    "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
}
NAMES = [
    "api_connectivity",
    "rate_limit_status",
    "upstream_breaker",
    "cache_performance",
    "storage_connectivity",
    "telemetry_export",
    "log_destinations",
    "alerting",
    "background_tasks",
]


@pytest.fixture
def valkey() -> Iterator[Any]:
    with running_valkey() as server:
        yield server


async def ask(url: str, *names: str) -> None:
    async with Client(url) as client, anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(_ask, client, name)


async def _ask(client: Client[Any], name: str) -> None:
    await client.call_tool("get_package_info", {"platform": "npm", "name": name}, raise_on_error=False)


async def test_from_well_to_ill_and_back(upstream: Upstream, valkey: Any, tmp_path: Path):
    with OtlpReceiver() as receiver:
        given = {
            **OFTEN,
            **TELEMETRY,
            "LIBRARIES_IO_BASE_URL": upstream.base_url,
            "REDIS_URL": f"redis://127.0.0.1:{valkey.port}/0",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "LOG_FILE": str(tmp_path / "log" / "lines.jsonl"),
            "ALERT_EVALUATION": "off",
        }
        with Running(*HTTP, folder=tmp_path, **given) as server:
            url = server.url
            await ask(url, "good")
            await _well(url)
            port = int(receiver.endpoint.rpartition(":")[2])
            receiver.close()
            valkey.stop()
            await ask(url, *(f"error--{number}" for number in range(5)))
            await _ill(url)
            with OtlpReceiver(port=port):
                # Each signal works again when something of it arrives; what went wrong before is still told.
                await ask(url, "good--again")
                seen = await statuses_become(url, telemetry_export="healthy", storage_connectivity="degraded")
                ways = seen.check("telemetry_export")["details"].values()
                assert any("connection refused" in (way["last_error"] or "") for way in ways)


async def _well(url: str) -> None:
    # Each of them: on a busy machine any look may come late once.
    seen = await statuses_become(url, **dict.fromkeys(NAMES, "healthy"))
    assert (seen.report["status"], seen.report["score"]) == ("healthy", 100)
    assert seen.codes == {"/health/detailed": 200, "/health/ready": 200}
    assert list(seen.report["checks"]) == NAMES
    assert seen.check("storage_connectivity")["details"] == {"store": "redis", "replicas": 1}
    for check in seen.report["checks"].values():
        assert check["response_time_seconds"] >= 0
        assert check["age_seconds"] >= 0
        assert check["checked_at"] > 1e9


async def _ill(url: str) -> None:
    seen = await statuses_become(
        url,
        api_connectivity="unhealthy",
        upstream_breaker="unhealthy",
        storage_connectivity="degraded",
        telemetry_export="degraded",
    )
    assert seen.report["status"] == "unhealthy"
    assert seen.codes == {"/health/detailed": 503, "/health/ready": 503}
    assert "upstream_error" in seen.check("api_connectivity")["error"]
    assert "Redis does not work" in seen.check("storage_connectivity")["error"]
    assert "lost" in seen.check("telemetry_export")["error"]
    for name in ("api_connectivity", "upstream_breaker", "storage_connectivity", "telemetry_export"):
        assert seen.check(name)["what_to_do"], name
    async with httpx.AsyncClient(timeout=HANG_SECONDS) as client:
        # Alive all the while: nothing of this gets better by a restart.
        assert (await client.get(f"{url[:-4]}/health")).status_code == 200


async def use_up(url: str) -> None:
    """Ask again and again: a new minute may begin at any time, and with it a new quota."""
    number = 0
    while True:
        await ask(url, f"left-pad-{number}")
        number += 1


async def test_a_full_disk_and_a_quota_that_is_used_up(sandbox_url: str, tmp_path: Path):
    given = {**OFTEN, "LIBRARIES_IO_BASE_URL": sandbox_url, "LIBRARIES_IO_API_KEY": FEW_KEY, "LOG_FILE": "/dev/full"}
    with Running(*HTTP, folder=tmp_path, **given) as server:
        url = server.url
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(use_up, url)
            seen = await statuses_become(url, log_destinations="degraded", rate_limit_status="unhealthy")
            tasks.cancel_scope.cancel()
    assert "No space left on device" in seen.check("log_destinations")["error"]
    assert seen.check("log_destinations")["details"]["console"]["error"] is None
    assert seen.check("rate_limit_status")["error"] == "The quota of this window is used up."
    # Not critical: what is in the cache can be had.
    assert seen.report["status"] == "degraded"
    assert seen.codes == {"/health/detailed": 200, "/health/ready": 200}


async def test_a_wrong_key_and_no_redis_from_the_start(sandbox_url: str, tmp_path: Path):
    with unused_port() as port:
        given = {
            **OFTEN,
            "LIBRARIES_IO_BASE_URL": sandbox_url,
            "LIBRARIES_IO_API_KEY": REFUSED_CANARY,
            "REDIS_URL": f"redis://:the-password@127.0.0.1:{port}/0",
        }
        with Running(*HTTP, folder=tmp_path, **given) as server:
            url = server.url
            seen = await statuses_become(url, storage_connectivity="degraded", telemetry_export="healthy")
            assert seen.statuses["api_connectivity"] == seen.statuses["cache_performance"] == "unknown"
            assert seen.codes["/health/ready"] == 200
            await ask(url, "left-pad")
            seen = await statuses_become(url, api_connectivity="unhealthy")
            assert seen.check("api_connectivity")["error"] == "Libraries.io rejects the API key."
            assert (seen.report["status"], seen.codes["/health/ready"]) == ("unhealthy", 503)
            async with httpx.AsyncClient(base_url=url[:-4], timeout=HANG_SECONDS) as client:
                text = (await client.get("/health/detailed")).text + server.stderr
                unknown = await client.get("/health/no_such_check")
    assert (unknown.status_code, unknown.json()["checks"]) == (404, NAMES)
    assert REFUSED_CANARY not in text
    assert "the-password" not in text
