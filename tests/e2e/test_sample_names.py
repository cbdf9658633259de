"""The in-process reader gives what the real Prometheus stores of the same process: names, labels, values."""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from fastmcp import Client
from tests.e2e.scenario import QUESTIONS, product_environment
from tests.servers.stack import Stack
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.sampled_server import SampledServer

NAME: Final = "e2e-samples"
ARRIVAL_SECONDS: Final = 240.0
OTHERS: Final = "target_info|traces_span_metrics_.*"
"""What Prometheus has of the process beside its own metrics: its resource, and what the Collector counts of spans."""
QUIET: Final = ("mcp_server_operation_duration_seconds", "libraries_io_call_duration_seconds", "libraries_io_cache_")
"""Metrics that do not change when nobody asks the server anything."""
EXPECTED: Final = {
    "mcp_server_operation_duration_seconds_bucket",
    "http_client_request_duration_seconds_sum",
    "libraries_io_cache_lookups_total",
    "libraries_io_cache_size_bytes",
    "libraries_io_operations_active",
    "process_memory_usage_bytes",
}
"""Of every kind one, so that the comparison is about something. Those of the process start after two seconds."""

Series = frozenset[tuple[str, str]]


@pytest.fixture(scope="module")
def server(stack: Stack, sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampledServer]:
    """A server that has answered all kinds of questions, failing ones among them, and has nothing more to do."""
    folder = tmp_path_factory.mktemp("sampled")
    given = product_environment(stack.collector.endpoint, sandbox_url, NAME)
    given["OTEL_RESOURCE_ATTRIBUTES"] += ",service.namespace=packages"
    with SampledServer(folder=folder, **given) as server:
        asyncio.run(ask(Client(server.url)))
        yield server


async def ask(client: Client[Any]) -> None:
    async with client:
        await client.list_tools()
        for tool, arguments in QUESTIONS:
            await client.call_tool(tool, arguments, raise_on_error=False)


def in_process(server: SampledServer) -> dict[Series, float]:
    answer = httpx.get(server.url.replace("/mcp", "/samples"), timeout=HANG_SECONDS).raise_for_status().json()
    found = {frozenset(labels.items()): value for labels, value in answer}
    assert len(found) == len(answer)
    return found


def in_prometheus(stack: Stack) -> dict[Series, float]:
    # The start itself is over when the reader is added.
    chosen = f'{{deployment_environment_name="{NAME}", __name__!~"{OTHERS}", libraries_io_operation!="startup"}}'
    return {frozenset(one.labels.items()): one.value for one in stack.prometheus.query(chosen)}


def shown(series: set[Series]) -> str:
    return "\n".join(str(dict(sorted(one))) for one in sorted(series, key=sorted)[:10])


def test_names_and_labels_are_the_same(stack: Stack, server: SampledServer) -> None:
    def same() -> bool:
        ours = in_process(server).keys()
        return {dict(series)["__name__"] for series in ours} >= EXPECTED and ours == in_prometheus(stack).keys()

    try:
        poll_until(same, "the same series in both", ARRIVAL_SECONDS)
    except AssertionError as late:
        ours, theirs = set(in_process(server)), set(in_prometheus(stack))
        found = f"ours only:\n{shown(ours - theirs)}\ntheirs only:\n{shown(theirs - ours)}"
        raise AssertionError(f"{late}\n{found}") from None


def test_values_are_the_same(stack: Stack, server: SampledServer) -> None:
    def same() -> bool:
        ours, theirs = (
            {series: value for series, value in found.items() if dict(series)["__name__"].startswith(QUIET)}
            for found in (in_process(server), in_prometheus(stack))
        )
        return bool(ours) and ours == theirs

    poll_until(same, "the same values in both", ARRIVAL_SECONDS)
