"""The snippets of docs/clients.md and the entry for FastMCP's commands: each is started as written, and answers."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from tests.support.command import COMMAND, HTTP, Running, environment
from tests.support.polling import HANG_SECONDS
from tests.support.stand_in import CANARY, sandbox

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
ENTRIES: list[dict[str, Any]] = [
    entry
    for snippet in re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for name, servers in json.loads(snippet).items()
    if name != "inputs"
    for entry in servers.values()
]
COMMANDS = [entry for entry in ENTRIES if "command" in entry]
ADDRESSES = [
    entry.get("url") or entry.get("serverUrl") or entry["httpUrl"] for entry in ENTRIES if entry not in COMMANDS
]
FASTMCP = str(Path(sys.executable).with_name("fastmcp"))
INSTALL = re.findall(r"^    fastmcp (install mcp-json .*)$", PAGE, re.MULTILINE)
RUN = re.findall(r"^    fastmcp (run .*)$", PAGE, re.MULTILINE)


class FastMCPCommand(Running):
    """A command of the library."""

    program = (FASTMCP,)


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with sandbox() as url:
        yield url


def tools_of(server: Running) -> set[str]:
    """What it answers to `tools/list`."""
    server.initialize()
    return {tool["name"] for tool in server.answer(server.request("tools/list"))["result"]["tools"]}


def quiet(base_url: str, **variables: str) -> dict[str, str]:
    return {"LIBRARIES_IO_BASE_URL": base_url, "OTEL_SDK_DISABLED": "true", "LOG_LEVEL": "ERROR", **variables}


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry["env"]["LIBRARIES_IO_API_KEY"])
def test_the_command_of_a_snippet_answers(entry: dict[str, Any], base_url: str, tmp_path: Path):
    assert Path(entry["command"]).name == Path(COMMAND).name
    # The key stands there as a word of its own, or as the client's way to fill it in.
    variables = {name: CANARY if name == "LIBRARIES_IO_API_KEY" else value for name, value in entry["env"].items()}
    with Running(*entry["args"], folder=tmp_path, **quiet(base_url, **variables)) as server:
        assert "get_package_info" in tools_of(server)
        found = server.call("search_packages", query="http")  # which needs the key
        assert found["isError"] is False


async def test_the_address_of_the_snippets_answers(base_url: str, tmp_path: Path):
    (address,) = set(ADDRESSES)
    path = address.removeprefix("http://127.0.0.1:8000")
    with Running(*HTTP, folder=tmp_path, **quiet(base_url, LIBRARIES_IO_API_KEY=CANARY, LOG_LEVEL="INFO")) as server:
        assert server.url.endswith(path)
        async with Client(server.url) as client:
            assert await client.list_tools()


def test_the_command_lines_of_the_page_name_the_command():
    added = re.findall(r"^    claude mcp add .* -- (.*)$", PAGE, re.MULTILINE)
    assert added == ["libraries-io-mcp"]
    assert "fastmcp list --command libraries-io-mcp" in PAGE


def test_fastmcp_lists_the_tools_of_the_command(tmp_path: Path):
    done = fastmcp("list", "--command", COMMAND, "--json", folder=tmp_path)
    assert "get_package_info" in done.stdout


@pytest.mark.parametrize("arguments", RUN)
def test_fastmcp_runs_the_server(arguments: str, base_url: str, tmp_path: Path):
    """Without `uv`, which would resolve the environment from the network: in the one that is there."""
    _, source = arguments.split()
    # FastMCP looks for the source below the folder in which it is started, and the page says: in a checkout.
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    given = ("run", str(ROOT / source), "--skip-env", "--no-banner")
    with FastMCPCommand(*given, folder=tmp_path, **quiet(base_url, LIBRARIES_IO_API_KEY=CANARY)) as server:
        assert "get_package_info" in tools_of(server)


@pytest.mark.parametrize("arguments", INSTALL)
def test_what_fastmcp_installs_runs_the_server(arguments: str, base_url: str, tmp_path: Path):
    words = [str(ROOT) if word == "." else word for word in arguments.split()]
    words = [str(ROOT / word) if word.startswith("scripts/") else word for word in words]
    (entry,) = json.loads(fastmcp(*words, folder=tmp_path).stdout).values()
    assert (entry["command"], entry["args"][0]) == ("uv", "run")
    assert entry["args"][entry["args"].index("--with-editable") + 1] == str(ROOT)
    given = entry["args"][entry["args"].index("run", 1) :]
    with FastMCPCommand(*given, folder=tmp_path / "run", **quiet(base_url, LIBRARIES_IO_API_KEY=CANARY)) as server:
        assert "get_package_info" in tools_of(server)


def fastmcp(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command of the library, run to its end."""
    return subprocess.run(
        [FASTMCP, *arguments],
        cwd=folder,
        env=environment(folder, OTEL_SDK_DISABLED="true", LOG_LEVEL="ERROR"),
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=True,
    )
