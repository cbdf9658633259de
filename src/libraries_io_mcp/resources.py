"""Resources: the tools' answers under addresses, as JSON. A resource asks its tool; it has no code of its own.

A resource is there when its tool is: a toolset carries its resources. A list goes on with `?cursor=`.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final
from urllib.parse import parse_qs

import mcp_types
from fastmcp import FastMCP
from fastmcp.exceptions import ResourceError, ValidationError
from fastmcp.resources.base import ResourceResult
from fastmcp.resources.template import extract_query_params
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from mcp import MCPError

from libraries_io_mcp.answer.failure import error_facts, error_text, wrong_arguments
from libraries_io_mcp.errors import InvalidRequestError, LibrariesIOMCPError, NotFoundError
from libraries_io_mcp.librariesio.platforms import stored_platform

MIME_TYPE: Final = "application/json"
CALLERS_FAULT: Final = frozenset({"not_found", "invalid_request"})

Facts = dict[str, Any]
Read = Callable[..., Awaitable[str]]


class UnansweredError(ResourceError):
    """A tool's error on its way to becoming an MCP error."""

    def __init__(self, facts: Facts) -> None:
        # The request's own log line says that it failed; FastMCP need not add a traceback.
        super().__init__(error_text(facts), log_level=logging.DEBUG)
        self.facts = facts

    @classmethod
    def of(cls, error: LibrariesIOMCPError) -> "UnansweredError":
        """The same for an error of our own."""
        return cls(error_facts(error))


class SayWhy(Middleware):
    """Turns a tool's error behind a resource into an MCP error with the same words, and refuses unknown parameters."""

    async def on_read_resource(
        self,
        context: MiddlewareContext[mcp_types.ReadResourceRequestParams],
        call_next: CallNext[mcp_types.ReadResourceRequestParams, ResourceResult],
    ) -> ResourceResult:
        """The resource, or the error: its data holds error_type, next_step, retry_after and suggestions."""
        try:
            await _refuse_unknown_parameters(context)
            return await call_next(context)
        except UnansweredError as error:
            callers = error.facts["error_type"] in CALLERS_FAULT
            code = mcp_types.INVALID_PARAMS if callers else mcp_types.INTERNAL_ERROR
            raise MCPError(code, str(error), error.facts) from None


async def _refuse_unknown_parameters(context: MiddlewareContext[mcp_types.ReadResourceRequestParams]) -> None:
    address, _, query = str(context.message.uri).partition("?")
    if not query or context.fastmcp_context is None:
        return
    template = await context.fastmcp_context.fastmcp.get_resource_template(f"{address}?{query}")
    # FastMCP passes over what a template does not declare, and of a repeated parameter over all but the first.
    if template is not None:
        known = extract_query_params(template.uri_template)
        given = parse_qs(query, keep_blank_values=True)
        wrong = [name for name, values in given.items() if name not in known or len(values) > 1]
        if wrong:
            takes = f"It takes {', '.join(sorted(known))}, each once." if known else "It takes none."
            raise UnansweredError.of(
                InvalidRequestError(f"{address[:200]} does not take ?{', ?'.join(wrong)[:200]}. {takes}")
            )


class Addresses:
    """Where the resources are put: each has the tool that answers it."""

    def __init__(self, server: FastMCP, tool_names: Iterable[str]) -> None:
        self._server = server
        self._tool_names = frozenset(tool_names)

    def add(self, uri: str, tool: str, title: str) -> Callable[[Read], Read]:
        """Register a reader, if its tool is there."""
        if tool not in self._tool_names:
            return lambda read: read
        return self._server.resource(
            uri,
            name=uri.partition("{?")[0],
            title=title,
            description=f"{title}: what {tool} answers.",
            mime_type=MIME_TYPE,
            # A name is no path of a file here; it is checked and encoded where requests are built.
            security=None,
        )

    async def ask(self, tool: str, **arguments: Any) -> Facts:
        """The structured content of a tool's answer. Parameters that are `None` are left out.

        Raises:
            UnansweredError: the tool answered with an error.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            # Without middleware: reading a resource is one request, not two.
            result = await self._server.call_tool(tool, given, run_middleware=False)
        except ValidationError as error:
            raise UnansweredError.of(InvalidRequestError(wrong_arguments(error))) from None
        facts = result.structured_content or {}
        if result.is_error:
            raise UnansweredError(facts)
        return facts

    async def text(self, tool: str, **arguments: Any) -> str:
        """The same as JSON text."""
        return as_json(await self.ask(tool, **arguments))


def as_json(facts: Facts) -> str:
    """Compact JSON text."""
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def register_resources(server: FastMCP, tool_names: Iterable[str]) -> None:
    """Add the resources whose tool is among `tool_names`."""
    addresses = Addresses(server, tool_names)
    _add_lists(addresses)
    _add_packages(addresses)
    _add_owners(addresses)


def _add_lists(addresses: Addresses) -> None:
    @addresses.add("platforms://supported", "list_platforms", "Platforms")
    async def platforms() -> str:
        return await addresses.text("list_platforms")

    @addresses.add("platforms://{platform}/stats", "list_platforms", "One platform")
    async def platform_stats(platform: str) -> str:
        return as_json(await _platform(addresses, platform))

    @addresses.add("search://packages{?q,page,cursor}", "search_packages", "Search packages")
    async def search(q: str = "", page: str | None = None, cursor: str | None = None) -> str:
        # The page goes on as it was written: the tool reads it, and says what is wrong with it.
        return await addresses.text("search_packages", query=q, page=page, cursor=cursor)

    @addresses.add("quota://status", "get_quota_status", "Quota status")
    async def quota() -> str:
        return await addresses.text("get_quota_status")


def _add_packages(addresses: Addresses) -> None:
    # `{name*}` takes slashes as they are, and `%2F` as well.
    @addresses.add("packages://{platform}/{name*}/info", "get_package_info", "Package")
    async def info(platform: str, name: str) -> str:
        return await addresses.text("get_package_info", platform=platform, name=name)

    @addresses.add("packages://{platform}/{name*}/versions{?cursor}", "get_package_versions", "Versions")
    async def versions(platform: str, name: str, cursor: str | None = None) -> str:
        return await addresses.text("get_package_versions", platform=platform, name=name, cursor=cursor)

    @addresses.add("packages://{platform}/{name*}/dependencies{?cursor}", "get_package_dependencies", "Dependencies")
    async def dependencies(platform: str, name: str, cursor: str | None = None) -> str:
        return await addresses.text("get_package_dependencies", platform=platform, name=name, cursor=cursor)

    @addresses.add("packages://{platform}/{name*}/dependents", "get_package_dependents", "Dependents")
    async def dependents(platform: str, name: str) -> str:
        return await addresses.text("get_package_dependents", platform=platform, name=name)


def _add_owners(addresses: Addresses) -> None:
    @addresses.add("users://{login}/packages{?cursor}", "get_owner", "A user's packages on GitHub")
    async def of_user(login: str, cursor: str | None = None) -> str:
        return as_json(await _packages_of(addresses, "User", login, cursor))

    @addresses.add("orgs://{login}/packages{?cursor}", "get_owner", "An organisation's packages on GitHub")
    async def of_organisation(login: str, cursor: str | None = None) -> str:
        return as_json(await _packages_of(addresses, "Organisation", login, cursor))


async def _packages_of(addresses: Addresses, kind: str, login: str, cursor: str | None) -> Facts:
    facts = await addresses.ask("get_owner", host="github", login=login, include="packages", cursor=cursor)
    if facts["type"] not in (kind, None):
        there = "users" if kind == "Organisation" else "orgs"
        raise UnansweredError.of(
            NotFoundError(f"{login} is no {kind.lower()}.", next_step=f"Read {there}://{login}/packages instead.")
        )
    return facts


async def _platform(addresses: Addresses, platform: str) -> Facts:
    wanted = (stored_platform(platform) or platform).lower()
    cursor = None
    while True:
        facts = await addresses.ask("list_platforms", cursor=cursor)
        found = next((each for each in facts["platforms"] if each["name"].lower() == wanted), None)
        cursor = facts["cursor"]
        if found is not None:
            return {**found, "provenance": facts["provenance"]}
        if cursor is None:
            raise UnansweredError.of(
                NotFoundError(
                    f"There is no platform {platform[:100]!r} at Libraries.io.",
                    next_step="platforms://supported names them all.",
                )
            )
