"""What a client sees of the server: as a snapshot that a test guards, and as docs/tools.md.

python scripts/write_docs.py            writes both, with all the other generated documents
"""

import asyncio
import json
from typing import Any, Final, get_args

from fastmcp import Client, FastMCP
from mcp_types import ListToolsResult
from opentelemetry.metrics import NoOpMeter

from libraries_io_mcp.answer import Tools
from libraries_io_mcp.completions import LICENCE_ARGUMENTS, PLATFORM_ARGUMENTS, register_completions
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.resources import register_resources
from libraries_io_mcp.settings import LibrariesIOSettings, Toolset, ToolSettings
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.tools import guide, register_tools

DEFAULT: Final = ToolSettings.model_fields["toolsets"].default
TOKEN_LIMIT: Final = 8_000
"""What the default tools may cost an agent before it has asked anything."""
Surface = dict[str, Any]


async def see(toolsets: tuple[str, ...]) -> Surface:
    """Tools, resources and templates of a server with these toolsets, and what its list of tools costs."""
    asker = LibrariesIOClient(LibrariesIOSettings(), instruments=Instruments(NoOpMeter("surface")))
    server = FastMCP("surface")
    tools = Tools(server, asker)
    register_tools(tools, toolsets)
    register_resources(server, tools.names)
    register_completions(server)
    async with Client(server) as client:
        listed = await client.list_tools()
        resources, templates = await client.list_resources(), await client.list_resource_templates()
    await asker.aclose()
    return {
        "toolsets": list(toolsets),
        "tokens": tokens(listed),
        "tools": [_plain(tool) for tool in listed],
        "resources": [_plain(resource) for resource in resources],
        "templates": [_plain(template) for template in templates],
    }


def tokens(tools: list[Any]) -> int:
    """About 4 characters a token, of the reply to tools/list."""
    reply = ListToolsResult(tools=tools, ttl_ms=0, cache_scope="public")
    return len(json.dumps(reply.model_dump(mode="json", by_alias=True, exclude_none=True))) // 4


def snapshot() -> str:
    """The default surface whole, and of all toolsets the names: for tests/contract/surface.json."""
    default, everything = asyncio.run(_both())
    default["of_all_toolsets"] = {
        "tokens": everything["tokens"],
        "tools": everything["tools"],
        "resources": sorted(each["uri"] for each in everything["resources"]),
        "templates": sorted(each["uriTemplate"] for each in everything["templates"]),
    }
    default["tools"] = [tool["name"] for tool in default["tools"]]
    default["resources"] = sorted(each["uri"] for each in default["resources"])
    default["templates"] = sorted(each["uriTemplate"] for each in default["templates"])
    return json.dumps(default, indent=1, ensure_ascii=False) + "\n"


def page() -> str:
    """docs/tools.md."""
    default, everything = asyncio.run(_both())
    by_name = {tool["name"]: tool for tool in everything["tools"]}
    parts = [
        "# Tools, resources and completions\n\nWritten by `make docs` from the server itself; a test keeps it true.",
        f"The tools that are on by default (`TOOLSETS={','.join(DEFAULT)}`) cost an agent about {default['tokens']:,} "
        f"tokens of schema; at most {TOKEN_LIMIT:,} are allowed. All toolsets: {everything['tokens']:,}.",
        "Every answer that comes from Libraries.io carries `provenance` (`endpoint`, `fetched_at`, `source`: network, "
        "cache or stale, `age_seconds`, `quota_remaining`). A list that is cut has `truncated`, `left_out` and a "
        "`cursor`: the same call with that cursor goes on where it stopped. `null` means that Libraries.io does not "
        "know. Errors have `error_type`, `message`, `next_step` and, where they apply, `retry_after` (seconds) and "
        "`suggestions`.",
        f"## What an agent is told at the start\n\n```\n{guide(get_args(Toolset))}\n```",
    ]
    for toolset in get_args(Toolset):
        names = [tool["name"] for tool in asyncio.run(see((toolset,)))["tools"]]
        state = "on by default" if toolset in DEFAULT else "off by default"
        parts.append(f"## Toolset `{toolset}` ({state})")
        parts += [_tool(by_name[name]) for name in names]
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
    bounds = [f"{word} {schema[word]}" for word in ("minimum", "maximum", "maxLength", "maxItems") if word in schema]
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
            "## Completions",
            f"Platform names for the arguments {platforms}; SPDX ids for {licences}.",
        )
    )


def _plain(component: Any) -> dict[str, Any]:
    plain: dict[str, Any] = component.model_dump(mode="json", by_alias=True, exclude_none=True)
    plain.pop("_meta", None)
    return plain


async def _both() -> tuple[Surface, Surface]:
    return await see(DEFAULT), await see(get_args(Toolset))
