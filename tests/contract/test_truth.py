"""Whatever leaves the process is declared: real servers on good and bad days, and everything that came out of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from mcp import MCPError
from mcp_types import PromptReference, ResourceTemplateReference
from tests.support import truth, wire
from tests.support.command import HTTP, Running, environment, launcher
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.stand_in import CANARY, sandbox
from tests.support.upstream import EXPECTED, Upstream

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver
from libraries_io_mcp.sandbox.faults import Fault
from libraries_io_mcp.telemetry import semconv

ARGUMENTS: Final[dict[str, Any]] = {
    "platform": "pypi",
    "name": "requests",
    "version": "2.32.3",
    "query": "http",
    "host": "github",
    "owner": "psf",
    "login": "psf",
    "repository": "requests",
}
EVERYTHING: Final = "discover,package,judge,project,repositories,server,subscriptions"
NEVER_SEEN_HERE: Final = {
    semconv.TELEMETRY_DROPS.name,  # a live receiver takes everything
    semconv.ALERT_DELIVERIES.name,  # nobody is told of alerts here: see tests of the channels
    semconv.HTTP_REFUSALS.name,  # nobody attacks: see test_attacks
    semconv.REPLY_DEVIATIONS.name,  # the replies are as promised: see test_odd_replies
    semconv.LOG_DROPS.name,  # nor is a log destination too slow
}


@dataclass(frozen=True)
class Emitted:
    """All that came out of all servers."""

    receiver: OtlpReceiver
    scraped: tuple[str, ...]
    known: set[str]


def variables(receiver: OtlpReceiver, base_url: str) -> dict[str, str]:
    return {
        "LIBRARIES_IO_BASE_URL": base_url,
        "LIBRARIES_IO_API_KEY": CANARY,
        "LIBRARIES_IO_TIMEOUT_SECONDS": "4",
        "TOOLSETS": EVERYTHING,
        "LOG_LEVEL": "DEBUG",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
    }


def filled(schema: dict[str, Any]) -> dict[str, Any]:
    """Arguments that a schema asks for, or something near enough: a refusal is an outcome too."""
    plain = {"string": "requests", "integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}}
    properties = schema.get("properties", {})
    return {
        name: ARGUMENTS.get(name, plain.get(properties[name].get("type", "string"), "requests"))
        for name in schema.get("required", [])
    }


async def use_everything(client: Client[Any]) -> set[str]:
    """Every list, tool, resource, prompt and completion; then what is not there. Returns the names that are."""
    tools, resources = await client.list_tools(), await client.list_resources()
    templates, prompts = await client.list_resource_templates(), await client.list_prompts()
    for tool in tools:
        await client.call_tool(tool.name, filled(tool.input_schema), raise_on_error=False)
        await client.call_tool(tool.name, {"nonsense": [1]}, raise_on_error=False)
    for uri in (*(str(resource.uri) for resource in resources), "packages://pypi/requests/info", "nothing://at/all"):
        with suppress(MCPError):
            await client.read_resource(uri)
    for prompt in prompts:
        with suppress(MCPError):
            await client.get_prompt(prompt.name, {"platform": "pypi", "name": "requests"})
    with suppress(MCPError):
        await client.get_prompt("no_such_prompt")
    for reference in (
        PromptReference(type="ref/prompt", name="none"),
        *(ResourceTemplateReference(type="ref/resource", uri=template.uri_template) for template in templates[:1]),
    ):
        with suppress(MCPError):
            await client.complete(reference, {"name": "platform", "value": "p"})
    with suppress(MCPError, Exception):
        await client.call_tool("no_such_tool", {}, raise_on_error=False)
    at_once = {"platform": "npm", "name": "left-pad"}
    await asyncio.gather(*(client.call_tool("get_package_info", at_once, raise_on_error=False) for _ in range(4)))
    return {each.name for each in (*tools, *prompts)}


async def use_bad_days(client: Client[Any], upstream: Upstream) -> None:
    """Every fault of the upstream, and cancelling one's own question."""
    for name in EXPECTED:
        # An answer before each fault, or the circuit breaker would keep the later ones out.
        for each in (f"good--{name}", name) if name != "hang" else ():
            await client.call_tool("get_package_info", {"platform": "npm", "name": each}, raise_on_error=False)
    asked = asyncio.create_task(
        client.call_tool("get_package_info", {"platform": "npm", "name": "hang"}, raise_on_error=False)
    )
    await asyncio.to_thread(upstream.wait_for, "/hang")
    asked.cancel()
    with suppress(asyncio.CancelledError):
        await asked


def metrics_of(url: str) -> str:
    return httpx.get(f"{url.removesuffix('/mcp')}/metrics", timeout=HANG_SECONDS).text


def use_http(url: str) -> str:
    """Every route, wrong ones too; then the text of `/metrics`."""
    root = url.removesuffix("/mcp")
    health = ("/health", "/health/ready", "/health/detailed", "/health/metrics", "/health/alerting", "/health/nothing")
    for path in (*health, "/nothing/here", "/mcp"):
        httpx.get(f"{root}{path}", headers={"accept": "application/json"}, timeout=HANG_SECONDS)
    httpx.request("PROPFIND", f"{root}/health", timeout=HANG_SECONDS)
    httpx.get(f"{root}/health", headers={"host": "evil.example"}, timeout=HANG_SECONDS)
    httpx.post(url, content=b"not json", headers=wire.HEADERS, timeout=HANG_SECONDS)
    httpx.post(url, json=wire.message("made/up"), headers=wire.open_session(url), timeout=HANG_SECONDS)
    return metrics_of(url)


@asynccontextmanager
async def stdio_client(folder: Path, settings: dict[str, str], mode: str) -> AsyncIterator[Client[Any]]:
    folder.mkdir()  # noqa: ASYNC240
    pipe = StdioTransport(
        *launcher(),
        env=environment(folder, **settings),
        cwd=str(folder),
        keep_alive=False,
        log_file=folder / "stderr",
    )
    async with Client(pipe, mode=mode) as client:
        yield client


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[OtlpReceiver, str, Upstream]]:
    """The receiver, a service that is well but for a few faults, and one that has only bad days."""
    faults = [Fault("bad_gateway_slow", path="*/left-pad", count=1, delay=1.0), Fault("rate_limited", count=2)]
    with ExitStack() as stack:
        receiver, upstream = stack.enter_context(OtlpReceiver()), stack.enter_context(Upstream())
        yield receiver, stack.enter_context(sandbox(faults=faults)), upstream


@pytest.fixture(scope="module")
def emitted(services: tuple[OtlpReceiver, str, Upstream], tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    return asyncio.run(good_and_bad_days(*services, tmp_path_factory.mktemp("truth")))


async def good_and_bad_days(receiver: OtlpReceiver, well: str, ill: Upstream, place: Path) -> Emitted:
    """Three servers on stdio and one on HTTP, in both eras of the protocol."""
    known: set[str] = set()
    scraped: list[str] = []
    for mode in ("legacy", "2026-07-28"):
        async with stdio_client(place / mode, variables(receiver, well), mode) as client:
            known |= await use_everything(client)
    async with stdio_client(place / "ill", variables(receiver, ill.base_url), "legacy") as client:
        await use_bad_days(client, ill)
    with Running(*HTTP, folder=place / "http", **variables(receiver, well)) as server:
        url = await asyncio.to_thread(lambda: server.url)
        for mode in ("legacy", "2026-07-28"):
            async with Client(url, mode=mode) as client:
                known |= await use_everything(client)
        async with Client(url) as client:
            # In this mode the client finds out by `server/discover` what it talks to.
            await client.list_tools()
        await asyncio.to_thread(poll_until, lambda: "process_cpu_time_seconds_total" in metrics_of(url), "CPU time")
        scraped.append(await asyncio.to_thread(use_http, url))
        await asyncio.to_thread(server.end, "SIGTERM")
    return Emitted(receiver, tuple(scraped), known)


def test_every_span_is_declared(emitted: Emitted):
    assert Counter(truth.complaints_of_spans(emitted.receiver.spans, emitted.known)) == {}


def test_every_metric_is_declared(emitted: Emitted):
    assert Counter(truth.complaints_of_points(emitted.receiver.points, emitted.known)) == {}


def test_every_log_record_is_declared(emitted: Emitted):
    assert Counter(truth.complaints_of_logs(emitted.receiver.logs, emitted.known)) == {}


def test_the_text_for_prometheus_agrees(emitted: Emitted):
    (text,) = emitted.scraped
    assert Counter(truth.complaints_of_prometheus(text)) == {}
    assert "mcp_server_operation_duration_seconds_bucket{" in text


def test_everything_declared_was_seen(emitted: Emitted):
    """Otherwise the scenario, and so the test, says less than it seems to."""
    seen = {point.name for point in emitted.receiver.points}
    declared = {metric.name for metric in (*semconv.METRICS, *semconv.FOREIGN_METRICS)}
    assert declared - seen <= NEVER_SEEN_HERE
    names = {(span.kind, span.name.partition(" ")[0]) for span in emitted.receiver.spans}
    assert ("INTERNAL", semconv.QUOTA_SPAN.name) in names
    assert ("INTERNAL", semconv.FLIGHT_SPAN.name) in names
    methods = {name for kind, name in names if kind == "SERVER"}
    expected = {"initialize", "server/discover", "tools/list", "tools/call", "resources/list", "resources/read"}
    assert expected | {"resources/templates/list", "prompts/list", "prompts/get", "completion/complete"} <= methods


def test_exemplars_lead_to_spans(emitted: Emitted):
    spans = {(span.trace_id, span.span_id) for span in emitted.receiver.spans}
    points = [point for point in emitted.receiver.points if point.name == semconv.OPERATION_DURATION.name]
    exemplars = [(each.trace_id, each.span_id) for point in points for each in point.exemplars]
    assert exemplars
    assert not [each for each in exemplars if each not in spans]
