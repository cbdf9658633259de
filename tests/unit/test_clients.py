"""What is handed to clients: the snippets of docs/clients.md, server.json and fastmcp.json."""

import json
import re
import runpy
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from fastmcp import FastMCP
from tests.support.command import COMMAND

from libraries_io_mcp import __version__
from libraries_io_mcp.settings import GROUPS, Toolset, ToolSettings, variable

ROOT = Path(__file__).parents[2]
SNIPPETS = re.findall(
    r"^```json\n(.*?)^```", (ROOT / "docs" / "clients.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
CLIENTS = ("Claude Desktop", "Claude Code", "Cursor", "VS Code", "Windsurf", "Zed", "Gemini CLI", "Any other client")
VARIABLES = {variable(group, field) for group in GROUPS for field in group.model_fields}
ADDRESS_WORDS = {"url", "serverUrl", "httpUrl"}


TEXT = {"type": "string", "minLength": 1}
SHORT = {**TEXT, "maxLength": 100}
EXACT_VERSION = {"type": "string", "maxLength": 255, "pattern": r"^\d+\.\d+\.\d+([+-][0-9A-Za-z.+-]+)?$"}
REGISTRY_ENTRY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["$schema", "name", "description", "version", "packages"],
    "properties": {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
        "name": {
            "maxLength": 200,
            "pattern": "^[a-zA-Z0-9][a-zA-Z0-9.-]*[a-zA-Z0-9]/[a-zA-Z0-9][a-zA-Z0-9._-]*[a-zA-Z0-9]$",
        },
        "title": SHORT,
        "description": SHORT,
        "version": EXACT_VERSION,
        "packages": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["registryType", "identifier", "version", "transport"],
                "properties": {
                    "registryType": {"enum": ["npm", "pypi", "oci", "nuget", "mcpb", "cargo", "maven"]},
                    "identifier": TEXT,
                    "version": EXACT_VERSION,
                    "runtimeHint": {"enum": ["npx", "uvx", "docker", "dnx", "jbang"]},
                    "transport": {"enum": [{"type": "stdio"}]},
                    "environmentVariables": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["name", "description"],
                            "properties": {
                                "name": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"},
                                "description": TEXT,
                                "isRequired": {"type": "boolean"},
                                "isSecret": {"type": "boolean"},
                                "default": {"type": "string"},
                                "format": {"enum": ["string", "number", "boolean", "filepath"]},
                            },
                        },
                    },
                },
            },
        },
    },
}
"""What the registry's schema of 2025-12-11, and what it checks beside it, allow of the fields that the entry has."""


def servers_in(snippet: str) -> dict[str, Any]:
    """The entries of the server in a client's configuration."""
    document = json.loads(snippet)
    (servers,) = [document[name] for name in ("mcpServers", "servers", "context_servers") if name in document]
    return servers


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_snippet_is_json_and_starts_or_finds_the_server(snippet: str):
    (entry,) = servers_in(snippet).values()
    if "command" in entry:
        assert Path(entry["command"]).name == Path(COMMAND).name
        assert Path(COMMAND).exists()
        assert entry["args"] == []
        assert set(entry["env"]) <= VARIABLES
    else:
        (address,) = [entry[word] for word in ADDRESS_WORDS if word in entry]
        assert address == "http://127.0.0.1:8000/mcp"


def test_every_client_has_its_part():
    text = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^## (.*)$", text, re.MULTILINE)) == CLIENTS
    assert len(SNIPPETS) == 13


def test_the_entry_of_the_registry():
    entry = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    jsonschema.validate(entry, REGISTRY_ENTRY)
    (package,) = entry["packages"]
    assert entry["version"] == package["version"] == __version__
    assert package["identifier"] == "libraries-io-mcp"
    assert package["transport"] == {"type": "stdio"}
    given = {one["name"]: one for one in package["environmentVariables"]}
    assert set(given) <= VARIABLES
    assert given["LIBRARIES_IO_API_KEY"]["isSecret"] is True
    assert given["TOOLSETS"]["default"] == ",".join(ToolSettings.model_fields["toolsets"].default)
    assert set(given["TOOLSETS"]["default"].split(",")) <= set(get_args(Toolset))


def test_fastmcp_finds_what_builds_the_server():
    source = json.loads((ROOT / "fastmcp.json").read_text(encoding="utf-8"))["source"]
    built = runpy.run_path(str(ROOT / source["path"]))[source["entrypoint"]]
    assert built.__annotations__["return"] is FastMCP
