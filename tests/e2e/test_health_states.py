"""Each check of a real server in the states between well and ill, by the real thing that brings it there."""

import itertools
import socket
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastmcp import Client
from tests.support.collectors import unused_port
from tests.support.command import HTTP, Running
from tests.support.health import statuses_become
from tests.support.mcp_session import Faults
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.stand_in import CANARY, sandbox
from tests.support.upstream import Upstream

pytestmark = pytest.mark.anyio
OFTEN = {"HEALTH_CHECK_SECONDS": "0.2", "LIBRARIES_IO_API_KEY": CANARY, "LIBRARIES_IO_TIMEOUT_SECONDS": "4"}
PACKAGES = (
    "axios",
    "got",
    "request",
    "express",
    "cookie",
    "debug",
    "ms",
    "qs",
    "koa",
    "react",
    "lodash",
    "moment",
    "jest",
)
RULES = """
groups:
  - name: always
    interval: 1s
    rules:
      - {alert: Always, expr: vector(1), labels: {severity: high}}
"""
WRONG_RULE = "      - {alert: Wrong, expr: 'sum('}\n"


def running(folder: Path, base_url: str, **given: str) -> Running:
    return Running(*HTTP, folder=folder, LIBRARIES_IO_BASE_URL=base_url, **(OFTEN | given))


async def ask(url: str, *names: str, tool: str = "get_package_info", **arguments: Any) -> None:
    """One question after the other, whatever comes of it."""
    async with Client(url) as client:
        for name in names:
            given = {"platform": "npm", "name": name} if tool == "get_package_info" else {"query": name}
            await client.call_tool(tool, given | arguments, raise_on_error=False)


async def test_little_of_the_quota_is_left(tmp_path: Path):
    with sandbox(keys={CANARY: 11}) as base_url, running(tmp_path, base_url, CACHE_TTL_SECONDS="0") as server:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_leave_one, server.url)
            seen = await statuses_become(server.url, rate_limit_status="degraded")
            tasks.cancel_scope.cancel()
    assert seen.report["status"] == "degraded"
    assert seen.check("rate_limit_status")["error"] == "1 of 11 requests are left and 0 questions wait."


async def _leave_one(url: str) -> None:
    """Use up all but one request, in every minute anew."""
    async with Client(url) as client:
        for name in itertools.cycle(PACKAGES):
            while (await client.call_tool("get_quota_status", {})).structured_content["remaining"] == 1:
                continue
            await client.call_tool("get_package_info", {"platform": "npm", "name": name})


async def test_one_question_fails_then_one_group_of_endpoints_and_others_work(tmp_path: Path):
    with sandbox() as base_url, Faults(base_url) as faults, running(tmp_path, base_url) as server:
        await ask(server.url, "express", "lodash", "react")
        faults.switch_on("server_error", "/api/[Nn][Pp][Mm]/*")
        await ask(server.url, "chalk")
        seen = await statuses_become(server.url, api_connectivity="degraded")
        assert "The last question failed with upstream_error" in seen.check("api_connectivity")["error"]
        # Until its breaker opens; searching is another group.
        await ask(server.url, *(f"broken-{number}" for number in range(6)))
        await ask(server.url, "http", tool="search_packages")
        seen = await statuses_become(server.url, upstream_breaker="degraded", api_connectivity="degraded")
        assert "left alone for a while" in seen.check("upstream_breaker")["error"]
        assert "questions failed" in seen.check("api_connectivity")["error"]
        states = {each["state"] for each in seen.check("upstream_breaker")["details"].values()}
        assert states == {"open", "closed"}
        assert (seen.report["status"], seen.codes["/health/ready"]) == ("degraded", 200)


async def test_a_cache_that_is_too_small_saves_nothing(upstream: Upstream, tmp_path: Path):
    with running(tmp_path, upstream.base_url, CACHE_MAX_ENTRIES="5") as server:
        await ask(server.url, "good")
        await statuses_become(server.url, cache_performance="healthy")
        await ask(server.url, *(f"good--{number}" for number in range(120)))
        seen = await statuses_become(server.url, cache_performance="degraded")
    assert "The cache is full" in seen.check("cache_performance")["error"]
    assert "CACHE_MAX_ENTRIES" in seen.check("cache_performance")["what_to_do"]


async def test_no_log_line_arrives_anywhere(upstream: Upstream, tmp_path: Path):
    with unused_port() as port:
        # The first line on the console says where it serves; without a console the test must know.
        given = {"LOG_ENABLE_CONSOLE": "false", "LOG_FILE": "/dev/full"}
    arguments = ("serve", "--transport", "http", "--port", str(port))
    with Running(*arguments, folder=tmp_path, LIBRARIES_IO_BASE_URL=upstream.base_url, **OFTEN, **given):
        poll_until(lambda: _accepts(port), "the server to listen")
        seen = await statuses_become(f"http://127.0.0.1:{port}/mcp", log_destinations="unhealthy")
    assert "No space left on device" in seen.check("log_destinations")["error"]
    # Not critical: calls are answered all the same.
    assert (seen.report["status"], seen.codes["/health/ready"]) == ("degraded", 200)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), HANG_SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True


async def test_alerting_with_a_wrong_rule_and_a_dead_channel(upstream: Upstream, tmp_path: Path):
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES, encoding="utf-8")
    with unused_port() as port:
        webhook = {"WEBHOOK_URL": f"http://127.0.0.1:{port}/", "ALERT_RULES_PATH": str(rules)}
    (tmp_path / "first").mkdir()
    with running(tmp_path / "first", upstream.base_url, ALERT_RULES_PATH=str(rules)) as server:
        seen = await statuses_become(server.url, alerting="healthy")
        assert seen.check("alerting")["details"]["evaluated_by"] == "in_process"
    rules.write_text(RULES + WRONG_RULE, encoding="utf-8")
    with running(tmp_path, upstream.base_url, **webhook) as server:
        # The only way to people is dead, which is worse than a wrong rule; that one is among the details.
        seen = await statuses_become(server.url, alerting="unhealthy")
        assert "Nobody is told of alerts" in seen.check("alerting")["error"]
        assert "doctor" in seen.check("alerting")["what_to_do"]
        (problem,) = seen.check("alerting")["details"]["problems"]
        assert "rule Wrong, field expr" in problem
