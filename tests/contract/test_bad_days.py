"""Bad input and bad days, as a client sees them: a typed answer that says what to do, and the next call works."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastmcp import Client
from fastmcp.client.client import CallToolResult
from fastmcp.client.transports import StdioTransport
from tests.support import wire
from tests.support.command import HTTP, Running, environment, launcher
from tests.support.polling import HANG_SECONDS
from tests.support.upstream import EXPECTED, Upstream

from libraries_io_mcp.sandbox.keys import KNOWN_KEY

pytestmark = pytest.mark.anyio


def stdio_client(folder: Path, **variables: str) -> Client:
    transport = StdioTransport(
        *launcher(), env=environment(folder, **variables), cwd=str(folder), keep_alive=False, log_file=folder / "stderr"
    )
    return Client(transport)


@pytest.fixture(scope="module")
async def troubled(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of a server whose Libraries.io has bad days."""
    variables = {"LIBRARIES_IO_BASE_URL": upstream.base_url, "LIBRARIES_IO_API_KEY": KNOWN_KEY}
    async with stdio_client(tmp_path_factory.mktemp("troubled"), **variables) as client:
        yield client


@pytest.fixture(scope="module")
async def anonymous(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of a server without a key."""
    async with stdio_client(tmp_path_factory.mktemp("anonymous"), LIBRARIES_IO_BASE_URL=sandbox_url) as client:
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> CallToolResult:
    return await client.call_tool(tool, arguments, raise_on_error=False)


def assert_error(answer: CallToolResult, error_type: str) -> dict[str, Any]:
    """The answer is that error, in both forms; returns its facts."""
    assert answer.is_error, answer
    facts = answer.structured_content
    assert facts["error_type"] == error_type, facts
    assert facts["message"]
    assert facts["next_step"].endswith((".", "?"))
    (text,) = answer.content
    assert text.text.startswith(f"{error_type}: {facts['message']}")
    assert "Traceback" not in text.text
    return facts


def total_asked(sandbox_url: str) -> int:
    return httpx.get(f"{sandbox_url.removesuffix('/api')}/_sandbox/requests", timeout=HANG_SECONDS).json()["total"]


async def test_without_a_key_search_says_where_to_get_one(anonymous: Client, sandbox_url: str):
    before = total_asked(sandbox_url)
    facts = assert_error(await call(anonymous, "search_packages", query="http"), "api_key_missing")
    assert "https://libraries.io/account" in facts["next_step"]
    assert "LIBRARIES_IO_API_KEY" in facts["next_step"]
    assert total_asked(sandbox_url) == before


async def test_without_a_key_a_package_is_answered(anonymous: Client):
    answer = await call(anonymous, "get_package_info", platform="npm", name="axios")
    assert answer.structured_content["name"] == "axios"
    quota = await call(anonymous, "get_quota_status")
    assert quota.structured_content["key_present"] is False
    assert quota.structured_content["window_seconds"] == 3600


@pytest.mark.parametrize(("platform", "nearest"), [("pypy", "Pypi"), ("npn", "NPM"), ("rubygem", "Rubygems")])
async def test_an_unknown_platform(anonymous: Client, platform: str, nearest: str):
    facts = assert_error(await call(anonymous, "get_package_info", platform=platform, name="requests"), "not_found")
    assert nearest in facts["suggestions"]


async def test_an_unknown_package(anonymous: Client):
    facts = assert_error(await call(anonymous, "get_package_info", platform="npm", name="no-such-thing"), "not_found")
    assert "search_packages" in facts["next_step"]


@pytest.mark.parametrize("name", [name for name, error in EXPECTED.items() if error and name not in ("quota", "hang")])
async def test_a_fault_is_typed_and_the_next_call_works(troubled: Client, name: str):
    assert_error(await call(troubled, "get_package_info", platform="npm", name=name), EXPECTED[name])
    answer = await call(troubled, "get_package_info", platform="npm", name="good")
    assert answer.structured_content["name"] == "good"


async def test_a_service_that_never_answers(upstream: Upstream, tmp_path: Path):
    variables = {"LIBRARIES_IO_BASE_URL": upstream.base_url, "LIBRARIES_IO_TIMEOUT_SECONDS": "1"}
    async with stdio_client(tmp_path, **variables) as client:
        assert_error(await call(client, "get_package_info", platform="npm", name="hang"), "timeout")
        assert (await call(client, "get_quota_status")).structured_content["remaining"] >= 0


async def test_nobody_there(tmp_path: Path, unused_port: int):
    async with stdio_client(tmp_path, LIBRARIES_IO_BASE_URL=f"http://127.0.0.1:{unused_port}/api") as client:
        assert_error(await call(client, "get_package_info", platform="npm", name="axios"), "unreachable")
        assert (await call(client, "get_quota_status")).structured_content["remaining"] >= 0


@pytest.mark.parametrize(
    ("tool", "arguments", "named"),
    [
        ("get_package_info", {"platform": "npm"}, "name"),
        ("get_package_info", {"platform": "npm", "name": ""}, "name"),
        ("get_package_info", {"platform": "npm", "name": "x" * 501}, "name"),
        ("get_package_info", {"platform": "npm", "name": ["axios"]}, "name"),
        ("get_package_info", {"platform": "npm", "name": "axios", "colour": "red"}, "colour"),
        ("get_package_info", {"platform": "npm", "name": ".."}, "name"),
        ("get_package_info", {"platform": "npm", "name": "a\x00b"}, "name"),
        ("search_packages", {"query": "http", "per_page": 101}, "per_page"),
        ("search_packages", {"query": "http", "page": 0}, "page"),
        ("search_packages", {"query": "http", "page": 300, "per_page": 100}, "10000"),
        ("search_packages", {"query": "http", "sort": "beauty"}, "sort"),
        ("search_packages", {"query": "http", "keywords": ["a,b"]}, "keywords"),
        ("get_quota_status", {"of": "me"}, "of"),
    ],
)
async def test_wrong_arguments(troubled: Client, upstream: Upstream, tool: str, arguments: dict[str, Any], named: str):
    before = len(upstream.targets)
    facts = assert_error(await call(troubled, tool, **arguments), "invalid_request")
    assert named in facts["message"]
    assert "xxxxxxxxxx" not in str(facts)
    assert len(upstream.targets) == before


async def test_an_unknown_tool(troubled: Client):
    facts = assert_error(await call(troubled, "get_package", platform="npm", name="axios"), "invalid_request")
    assert "get_package_info" in facts["suggestions"]


@pytest.fixture(scope="module")
def http(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server on HTTP whose Libraries.io has bad days."""
    variables = {"LIBRARIES_IO_BASE_URL": upstream.base_url, "LIBRARIES_IO_API_KEY": KNOWN_KEY}
    with Running(*HTTP, folder=tmp_path_factory.mktemp("http"), **variables) as server:
        yield server


def test_the_pipe_breaks_in_the_middle_of_a_call(upstream: Upstream, tmp_path: Path):
    """The client process dies: both ends of the pipes close while Libraries.io has not answered yet."""
    variables = {"LIBRARIES_IO_BASE_URL": upstream.base_url, "LIBRARIES_IO_API_KEY": KNOWN_KEY}
    before = upstream.asked_for("/hang")
    with Running(folder=tmp_path, **variables) as server:
        server.initialize()
        server.request("tools/call", name="get_package_info", arguments={"platform": "npm", "name": "hang"})
        upstream.wait_for("/hang", before + 1)
        server.hang_up()
        assert server.process.wait(HANG_SECONDS) == 0
        assert "Traceback" not in server.stderr
        assert not [line for line in server.log_lines() if "exception" in line]


@pytest.mark.parametrize("revision", [wire.LEGACY, wire.MODERN])
async def test_an_http_client_leaves_in_the_middle_of_a_call(http: Running, upstream: Upstream, revision: str):
    name = f"hang--{revision}"
    request = wire.tool_call(http.url, revision, "get_package_info", platform="npm", name=name)
    async with httpx.AsyncClient(timeout=HANG_SECONDS) as leaving, anyio.create_task_group() as tasks:
        tasks.start_soon(leaving.send, request)
        await anyio.to_thread.run_sync(upstream.wait_for, name)
        tasks.cancel_scope.cancel()
    async with Client(http.url) as client:
        answer = await call(client, "get_package_info", platform="npm", name="good")
        assert answer.structured_content["name"] == "good"
    assert http.process.poll() is None
    assert "Traceback" not in http.stderr


@pytest.mark.parametrize("path", ["/mcp", "/health", "/metrics"])
@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Origin": "https://evil.example"}],
    ids=["host", "host and port", "origin"],
)
def test_other_hosts_and_origins_are_refused(http: Running, path: str, headers: dict[str, str]):
    """A web page that rebinds its name to 127.0.0.1, or simply asks across origins, gets nothing."""
    base = http.url.removesuffix("/mcp")
    with httpx.Client(base_url=base, headers=wire.HEADERS, timeout=HANG_SECONDS) as client:
        method, body = ("POST", wire.message("tools/list")) if path == "/mcp" else ("GET", None)
        refused = client.request(method, path, json=body, headers=headers)
        assert refused.status_code in (403, 421)
        assert "libraries_io" not in refused.text
        assert client.request(method, path, json=body).status_code not in (403, 421)


async def test_health_and_metrics(http: Running):
    async with Client(http.url) as client:
        await call(client, "get_package_info", platform="npm", name="good")
    base = http.url.removesuffix("/mcp")
    async with httpx.AsyncClient(timeout=HANG_SECONDS) as client:
        health = (await client.get(f"{base}/health")).json()
        metrics = (await client.get(f"{base}/metrics")).text
    assert health["status"] == "healthy"
    assert set(health) == {"status", "version", "uptime_seconds"}
    assert "libraries_io_call_duration_seconds_bucket" in metrics
    assert "mcp_server_operation_duration_seconds_bucket" in metrics
