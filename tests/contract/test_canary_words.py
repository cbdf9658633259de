"""What a person types is nowhere to be seen, and an e-mail address is not even where a package's name may be.

Three canaries are planted wherever a request can carry words, on both transports: free text, an e-mail address, and a
name. Names of packages, platforms and owners are what spans and call records are about; metrics never hold one.
"""

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import pytest
from anyio import to_thread
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from mcp import MCPError
from mcp_types import PromptReference, ResourceTemplateReference
from tests.support.collectors import ByteKeeper
from tests.support.command import HTTP, Running, environment, launcher
from tests.support.polling import HANG_SECONDS
from tests.support.stand_in import CANARY

pytestmark = pytest.mark.anyio

WORD: Final = "canaryword77"
NAME: Final = "canaryname77"
MAIL: Final = "canary.person@example.org"
MAILS: Final = (MAIL, MAIL.replace("@", "%40"), MAIL.replace("@", "%2540"))
TRANSPORTS: Final = ("stdio", "http")
OF_METRICS: Final = ("/metrics", "/health", "/health/detailed", "/health/metrics")
CALLS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("get_package_info", {"platform": "npm", "name": MAIL}),
    ("get_package_info", {"platform": "npm", "name": MAILS[1]}),
    ("get_package_info", {"platform": "npm", "name": NAME}),
    ("get_package_info", {"platform": NAME, "name": "react"}),
    ("get_package_info", {"platform": MAIL, "name": [WORD]}),
    ("get_package_versions", {"platform": "npm", "name": "react", "cursor": WORD}),
    ("search_packages", {"query": f"{WORD} {MAIL}", "keywords": [WORD]}),
    ("get_owner", {"host": "github", "login": NAME}),
    ("get_owner", {"host": "github", "login": MAIL}),
    ("get_repository", {"host": "github", "owner": NAME, "repository": MAIL}),
    ("check_license_compatibility", {"licenses": [WORD], "use_case": MAIL}),
    ("audit_dependencies", {"manifest": f"requests==2.0\n{WORD}==1\n{MAIL}\n", "filename": "requirements.txt"}),
    ("get_quota_status", {"nonsense": WORD, MAIL: WORD}),
    (WORD, {"argument": MAIL}),
)
RESOURCES: Final = (
    f"users://{NAME}/packages",
    f"users://{MAILS[1]}/packages",
    f"packages://npm/{MAIL}/info",
    f"search://packages?q={WORD}",
)


async def carry(client: Client[Any]) -> str:
    """Send the canaries in all that a client can send; returns the summary as the client reads it."""
    await client.list_tools()
    for tool, arguments in CALLS:
        await client.call_tool(tool, arguments, raise_on_error=False)
    for uri in RESOURCES:
        with suppress(MCPError):
            await client.read_resource(uri)
    for prompt, given in (("evaluate_package", {"platform": "npm", "name": f"{WORD} {MAIL}"}), (WORD, {MAIL: WORD})):
        with suppress(MCPError):
            await client.get_prompt(prompt, given)
    for reference in (
        PromptReference(type="ref/prompt", name="evaluate_package"),
        PromptReference(type="ref/prompt", name=WORD),
        ResourceTemplateReference(type="ref/resource", uri="platforms://{platform}/stats"),
    ):
        for value in (WORD, MAIL):
            with suppress(MCPError):
                await client.complete(reference, {"name": "platform", "value": value})
    return str(await client.read_resource("metrics://summary"))


def look(root: str) -> dict[str, str]:
    """What people see over HTTP: the routes, and the first things that a status page is told."""
    pages = {path: httpx.get(f"{root}{path}", timeout=HANG_SECONDS).text for path in OF_METRICS}
    told: list[str] = []
    with httpx.stream("GET", f"{root}/status/events", timeout=HANG_SECONDS) as answer:
        for line in answer.iter_lines():
            told.append(line)
            if "traces" in line and "resources/read" in line:
                break
    return {**pages, "/status/events": "\n".join(told)}


async def run(transport: str, folder: Path, upstream: str) -> dict[str, str]:
    """One server with canaries; all that came out of it, by way out."""
    with ByteKeeper() as keeper, ExitStack() as stack:
        variables = {
            "LIBRARIES_IO_BASE_URL": upstream,
            "LIBRARIES_IO_API_KEY": CANARY,
            "LOG_LEVEL": "DEBUG",
            "TOOLSETS": "discover,package,judge,project,repositories,server",
            "OTEL_EXPORTER_OTLP_ENDPOINT": keeper.endpoint,
        }
        seen: dict[str, str] = {}
        if transport == "http":
            server = stack.enter_context(Running(*HTTP, folder=folder, **variables))
            url = await to_thread.run_sync(lambda: server.url)
            async with Client(url) as client:
                seen["metrics://summary"] = await carry(client)
            seen |= await to_thread.run_sync(look, url.removesuffix("/mcp"))
            await to_thread.run_sync(server.end, "SIGTERM")
        else:
            log, env = folder / "stderr", environment(folder, **variables)
            pipe = StdioTransport(*launcher(), env=env, cwd=str(folder), keep_alive=False, log_file=log)
            async with Client(pipe) as client:
                seen["metrics://summary"] = await carry(client)
        seen["stderr"] = (folder / "stderr").read_text(encoding="utf-8")
        for path in ("/v1/traces", "/v1/metrics", "/v1/logs"):
            seen[path] = keeper.bodies(path).decode("latin-1") + keeper.decoded(path)
    return seen


@pytest.fixture(scope="module")
async def seen(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """By transport, side by side."""
    found: dict[str, dict[str, str]] = {}

    async def keep(transport: str) -> None:
        found[transport] = await run(transport, tmp_path_factory.mktemp(transport), sandbox_url)

    async with anyio.create_task_group() as tasks:
        for transport in TRANSPORTS:
            tasks.start_soon(keep, transport)
    return found


def leaks(ways: dict[str, str], *canaries: str) -> list[tuple[str, str]]:
    """Each place where one is, with what stands around it."""
    return [
        (way, text[max(0, at - 100) : at + 60])
        for way, text in ways.items()
        for canary in canaries
        if (at := text.find(canary)) >= 0
    ]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_free_text_and_addresses_of_people_leave_by_no_way(seen: dict[str, dict[str, str]], transport: str):
    ways = seen[transport]
    assert {way for way, text in ways.items() if len(text) < 50} == set()
    assert leaks(ways, WORD, *MAILS) == []


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_names_are_on_spans_and_call_records_alone(seen: dict[str, dict[str, str]], transport: str):
    ways = seen[transport]
    metrics = {way: ways[way] for way in (*OF_METRICS, "/v1/metrics", "metrics://summary") if way in ways}
    assert leaks(metrics, NAME) == []
    assert NAME in ways["/v1/traces"]
    assert transport == "stdio" or NAME in ways["/status/events"]
