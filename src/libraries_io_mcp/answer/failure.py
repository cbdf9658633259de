"""What an error looks like to an agent: `error_type`, a sentence, what to do next, and what else is known."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, Final

import mcp_types
from fastmcp.exceptions import NotFoundError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from mcp import MCPError
from pydantic import ValidationError as ArgumentsError
from pydantic_core import ErrorDetails

from libraries_io_mcp.errors import CallError, InvalidRequestError, LibrariesIOMCPError

WRONG_NAME: Final = frozenset({"unexpected_keyword_argument", "missing_argument", "missing", "extra_forbidden"})
"""The faults, as pydantic names them, that the right names help with."""

_BETWEEN_SENTENCES: Final = re.compile(r"(?<=\.) ")
_NAME: Final = re.compile(r"\w+")
SAID: Final = 5
"""So many faults are told of a call; more tell nothing new."""
LONGEST_NAME: Final = 100
"""So much of a name that is wrong is looked at and told."""
MOST_ARGUMENTS: Final = 100
"""No tool has as many: with more, or with a longer name, a call is not checked any further."""


class DefectError(CallError):
    """This server's own fault. The log has the traceback; the client only learns that it happened."""

    error_type = "internal"
    default_next_step = "Report it with the time of this call."


def error_facts(error: LibrariesIOMCPError) -> dict[str, Any]:
    """What is known of an error, as structured content."""
    facts: dict[str, Any] = {"error_type": error.error_type, "message": str(error)}
    if isinstance(error, CallError):
        facts["next_step"] = error.next_step
        if error.retry_after is not None:
            facts["retry_after"] = round(error.retry_after, 1)
        if error.suggestions:
            facts["suggestions"] = list(error.suggestions)
    return facts


def error_text(facts: dict[str, Any]) -> str:
    """The same in one line."""
    text = f"{facts['error_type']}: {facts['message']}"
    if "next_step" in facts:
        text += f" {facts['next_step']}"
    if "retry_after" in facts:
        text += f" retry_after: {facts['retry_after']} s."
    if "suggestions" in facts:
        text += f" Did you mean: {', '.join(facts['suggestions'])}?"
    return text


def error_result(error: LibrariesIOMCPError, absent: Collection[str] = ()) -> ToolResult:
    """The tool result of an error; what to do next names none of the `absent` tools."""
    facts = error_facts(error)
    if isinstance(error, CallError):
        facts["next_step"] = _without(absent, error.next_step) or error.default_next_step
    return ToolResult(content=error_text(facts), structured_content=facts, is_error=True)


def _without(absent: Collection[str], next_step: str) -> str:
    """The sentences that name none of these tools."""
    sentences = _BETWEEN_SENTENCES.split(next_step)
    return " ".join(each for each in sentences if not set(_NAME.findall(each)) & set(absent))


class RefuseBadCalls(Middleware):
    """Words for calls that never reach a tool: wrong arguments, or a tool that does not exist or is switched off.

    `switched_off` gives the toolset of each tool that is not offered here.
    """

    def __init__(self, switched_off: Callable[[], Mapping[str, str]] = dict) -> None:
        self._switched_off = switched_off

    async def on_call_tool(
        self,
        context: MiddlewareContext[mcp_types.CallToolRequestParams],
        call_next: CallNext[mcp_types.CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        """Answer with `invalid_request` and what is wrong, in one sentence."""
        try:
            return await self._far_off(context) or await call_next(context)
        except ValidationError as error:
            faults = _faults(error)
            wrong = [str(fault["loc"][0]) for fault in faults if fault["type"] in WRONG_NAME and len(fault["loc"]) == 1]
            names = await self._names(context) if wrong else None
            return error_result(InvalidRequestError(wrong_arguments(error), **_right_ones(wrong, names)))
        except NotFoundError:
            return error_result(await self._no_such_tool(context))

    async def on_read_resource(
        self, context: MiddlewareContext[mcp_types.ReadResourceRequestParams], call_next: CallNext[Any, Any]
    ) -> Any:
        """The resource. FastMCP's answer to an address that there is not tells it twice, however long it is.

        Raises:
            MCPError: there is none at an address that is too long to be told.
        """
        return await _unless_long(str(context.message.uri), "resource", call_next(context))

    async def on_get_prompt(
        self, context: MiddlewareContext[mcp_types.GetPromptRequestParams], call_next: CallNext[Any, Any]
    ) -> Any:
        """The same for prompts.

        Raises:
            MCPError: there is none with a name that is too long to be told.
        """
        return await _unless_long(context.message.name, "prompt", call_next(context))

    async def _far_off(self, context: MiddlewareContext[mcp_types.CallToolRequestParams]) -> ToolResult | None:
        """The answer to arguments that are checked no further, since each one of them would take its time."""
        given = context.message.arguments or {}
        if len(given) <= MOST_ARGUMENTS and not any(len(name) > LONGEST_NAME for name in given):
            return None
        names = await self._names(context)
        if names is None:
            return None
        wrong = list(islice((name for name in given if name not in names), SAID))
        said = "; ".join(f"{shortened(name)}: Unexpected keyword argument" for name in wrong)
        return error_result(InvalidRequestError(f"Wrong arguments: {said}.", **_right_ones(wrong, names)))

    async def _names(self, context: MiddlewareContext[mcp_types.CallToolRequestParams]) -> list[str] | None:
        """The names of a tool's arguments; `None` if there is no such tool."""
        server = context.fastmcp_context.fastmcp if context.fastmcp_context else None
        tool = await server.get_tool(context.message.name) if server else None
        return list(tool.parameters.get("properties", {})) if tool else None

    async def _no_such_tool(self, context: MiddlewareContext[mcp_types.CallToolRequestParams]) -> InvalidRequestError:
        asked = context.message.name
        toolset = self._switched_off().get(asked)
        if toolset is not None:
            return InvalidRequestError(
                f"The tool {asked} is switched off on this server.",
                next_step=f"Whoever runs the server can add {toolset} to TOOLSETS.",
            )
        server = context.fastmcp_context.fastmcp if context.fastmcp_context else None
        names = [tool.name for tool in await server.list_tools(run_middleware=False)] if server else []
        return InvalidRequestError(
            "There is no such tool here.",
            next_step="Call one of the tools that tools/list names.",
            suggestions=tuple(get_close_matches(asked[:LONGEST_NAME], names, n=3)),
        )


async def _unless_long(name: str, what: str, answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except NotFoundError:
        if len(name) <= LONGEST_NAME:
            raise
        raise MCPError(mcp_types.INVALID_PARAMS, f"There is no such {what}: {shortened(name)!r}") from None


def _right_ones(wrong: list[str], names: list[str] | None) -> dict[str, Any]:
    """What to do about arguments whose names are wrong: the right names, and those that are close."""
    if names is None:
        return {}
    close = [name for given in wrong for name in get_close_matches(given[:LONGEST_NAME], names, n=1)]
    return {
        "next_step": f"Its arguments are: {', '.join(names) or 'none'}.",
        "suggestions": tuple(dict.fromkeys(close)),
    }


def wrong_arguments(error: ValidationError) -> str:
    """What is wrong with the arguments of a call, in one sentence."""
    faults = _faults(error)
    if not faults:
        return "The arguments are not what the tool's schema asks for."
    found = [f"{'.'.join(shortened(str(part)) for part in fault['loc'])}: {fault['msg']}" for fault in faults]
    return f"Wrong arguments: {'; '.join(found)}."


def shortened(name: str) -> str:
    """A name as a client gave it, no longer than an answer should tell it."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."


def _faults(error: ValidationError) -> list[ErrorDetails]:
    """The first few faults of the arguments of a call."""
    cause = error.__cause__
    if not isinstance(cause, ArgumentsError):
        return []
    # The input itself is left out: the caller has it, and it may be huge.
    return cause.errors(include_url=False, include_context=False, include_input=False)[:SAID]
