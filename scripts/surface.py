"""What a client sees of the server: as a snapshot that a test guards, and as docs/tools.md.

python scripts/write_docs.py            writes both, with all the other generated documents
"""

import asyncio
import json
import os
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, get_args, get_type_hints

from fastmcp import Client, FastMCP
from fastmcp.client.transports import StdioTransport
from mcp_types import ListToolsResult
from opentelemetry.metrics import NoOpMeter

from libraries_io_mcp.answer import Answer, Tools
from libraries_io_mcp.answer.tool import Question
from libraries_io_mcp.completions import LICENCE_ARGUMENTS, PLATFORM_ARGUMENTS
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.settings import LibrariesIOSettings, Toolset, ToolSettings
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.tools import guide, register_tools

COMMAND: Final = str(Path(sys.executable).with_name("libraries-io-mcp"))
DEFAULT: Final = ToolSettings.model_fields["toolsets"].default
TOKEN_LIMIT: Final = 8_000
"""What the default tools may cost an agent before it has asked anything."""
Surface = dict[str, Any]


async def see(toolsets: tuple[str, ...]) -> Surface:
    """What the installed server shows with these toolsets, over stdio, and what its list of tools costs."""
    with TemporaryDirectory() as folder:
        variables = {"TOOLSETS": ",".join(toolsets), "OTEL_SDK_DISABLED": "true", "LOG_LEVEL": "ERROR"}
        environment = {"PATH": os.defpath, "HOME": folder, **variables}
        transport = StdioTransport(COMMAND, [], env=environment, cwd=folder, keep_alive=False)
        async with Client(transport) as client:
            tools = await client.list_tools()
            return {
                "toolsets": list(toolsets),
                "instructions": client.instructions,
                "tokens": tokens(tools),
                "tools": [_plain(tool) for tool in tools],
                "resources": sorted((_plain(each) for each in await client.list_resources()), key=lambda r: r["uri"]),
                "templates": sorted(
                    (_plain(each) for each in await client.list_resource_templates()), key=lambda t: t["uriTemplate"]
                ),
                "prompts": [_plain(each) for each in await client.list_prompts()],
            }


def answers() -> list[type[Answer]]:
    """What the tools of all toolsets answer with, each once, in the order of the tools."""
    found: dict[type[Answer], None] = {}

    class Questions(Tools):
        """Makes no tools; only takes down what they answer with."""

        def __init__(self) -> None:
            pass

        def add(self, _title: str, question: Question, **_more: Any) -> None:
            found[get_type_hints(question)["return"]] = None

    for toolset in get_args(Toolset):
        register_tools(Questions(), (toolset,))
    return list(found)


def names_of(toolset: str) -> list[str]:
    """The tools of one toolset, in their order."""
    asker = LibrariesIOClient(LibrariesIOSettings(), instruments=Instruments(NoOpMeter("surface")))
    tools = Tools(FastMCP("surface"), asker)
    register_tools(tools, (toolset,))
    return tools.names


def tokens(tools: list[Any]) -> int:
    """About 4 characters a token, of the reply to tools/list."""
    reply = ListToolsResult(tools=tools, ttl_ms=0, cache_scope="public")
    return len(json.dumps(reply.model_dump(mode="json", by_alias=True, exclude_none=True))) // 4


def snapshot() -> str:
    """Of all toolsets everything whole, of the default the names: for tests/contract/surface.json."""
    default, everything = surfaces()
    by_name = {
        "toolsets": default["toolsets"],
        "tokens": default["tokens"],
        "instructions": default["instructions"],
        **_names(default),
        "of_all_toolsets": {word: part for word, part in everything.items() if word != "toolsets"},
    }
    return json.dumps(by_name, indent=1, ensure_ascii=False) + "\n"


def _names(surface: Surface) -> Surface:
    return {
        "tools": [each["name"] for each in surface["tools"]],
        "resources": [each["uri"] for each in surface["resources"]],
        "templates": [each["uriTemplate"] for each in surface["templates"]],
        "prompts": [each["name"] for each in surface["prompts"]],
    }


def page() -> str:
    """docs/tools.md."""
    default, everything = surfaces()
    by_name = {tool["name"]: tool for tool in everything["tools"]}
    parts = [
        "# Tools, resources, prompts and completions",
        "Written by `make docs` from the server itself; a test keeps it true.",
        f"The tools that are on by default (`TOOLSETS={','.join(DEFAULT)}`) cost an agent about {default['tokens']:,} "
        f"tokens of schema; at most {TOKEN_LIMIT:,} are allowed. All toolsets: {everything['tokens']:,}.",
        "Every answer that comes from Libraries.io has `provenance`: `endpoint`; `also_asked`, other endpoints that "
        "took part; `canonical_name`, if the package was asked for by another spelling; `fetched_at`, `age_seconds`, "
        "of its oldest part; `source`, `network` if any of it was asked for now, else `cache`, or `stale` if any of it "
        "is; `requests_spent`; `quota_remaining`. A list that is cut has `truncated`, `left_out` and a "
        "`cursor`: the same call with that cursor goes on where it stopped. `null` means that Libraries.io does not "
        "know. Errors have `error_type`, `message`, `next_step` and, where they apply, `retry_after` (seconds) and "
        "`suggestions`.",
        f"## What an agent is told at the start\n\n```\n{guide(get_args(Toolset))}\n```",
    ]
    for toolset in get_args(Toolset):
        state = "on by default" if toolset in DEFAULT else "off by default"
        parts.append(f"## Toolset `{toolset}` ({state})")
        parts += [_tool(by_name[name]) for name in names_of(toolset)]
    parts.append(_resources(everything))
    return "\n\n".join(parts) + "\n"


def _tool(tool: dict[str, Any]) -> str:
    rows = [f"### {tool['name']}", tool["description"]]
    parameters = tool["inputSchema"].get("properties", {})
    if parameters:
        required = tool["inputSchema"].get("required", [])
        table = ["| parameter | | what it is |", "|---|---|---|"]
        for name, schema in parameters.items():
            need = "required" if name in required else _default(schema)
            table.append(f"| `{name}` | {need} | {_cell(schema)} |")
        rows.append("\n".join(table))
    rows.append(f"Answer: {', '.join(f'`{name}`' for name in tool['outputSchema']['properties'])}.")
    return "\n\n".join(rows)


def _default(schema: dict[str, Any]) -> str:
    return f"default `{json.dumps(schema['default'])}`" if "default" in schema else ""


def _cell(schema: dict[str, Any]) -> str:
    allowed = schema.get("enum") or schema.get("items", {}).get("enum")
    bounds = [
        f"{word} {schema[word]}" for word in ("format", "minimum", "maximum", "maxLength", "maxItems") if word in schema
    ]
    said = [schema.get("description", ""), f"One of {', '.join(allowed)}." if allowed else "", ", ".join(bounds)]
    return " ".join(part for part in said if part).replace("|", "\\|")


def _resources(surface: Surface) -> str:
    rows = ["| address | what it is |", "|---|---|"]
    rows += [f"| `{each['uri']}` | {each['description']} |" for each in surface["resources"]]
    rows += [f"| `{each['uriTemplate']}` | {each['description']} |" for each in surface["templates"]]
    platforms, licences = (
        ", ".join(f"`{name}`" for name in sorted(names)) for names in (PLATFORM_ARGUMENTS, LICENCE_ARGUMENTS)
    )
    return "\n\n".join(
        (
            "## Resources",
            "A resource is there when its tool is. Names may hold slashes, as they are or as `%2F`.",
            "\n".join(rows),
            "## Prompts",
            "\n".join(
                f"- `{each['name']}`: {each.get('description', '').splitlines()[0]}" for each in surface["prompts"]
            ),
            "## Completions",
            f"Platform names for the arguments {platforms}; SPDX ids for {licences}.",
        )
    )


def _plain(component: Any) -> dict[str, Any]:
    plain: dict[str, Any] = component.model_dump(mode="json", by_alias=True, exclude_none=True)
    plain.pop("_meta", None)
    return plain


@cache
def surfaces() -> tuple[Surface, Surface]:
    """The default surface, and that of all toolsets. Each starts a server, so they are seen once."""

    async def both() -> tuple[Surface, Surface]:
        default, everything = await asyncio.gather(see(DEFAULT), see(get_args(Toolset)))
        return default, everything

    return asyncio.run(both())
