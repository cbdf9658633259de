"""What an error looks like to an agent: `error_type`, a sentence, what to do next, and what else is known."""

from difflib import get_close_matches
from typing import Any

import mcp_types
from fastmcp.exceptions import NotFoundError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from pydantic import ValidationError as ArgumentsError

from libraries_io_mcp.errors import CallError, InvalidRequestError, LibrariesIOMCPError


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


def error_result(error: LibrariesIOMCPError) -> ToolResult:
    """The tool result of an error."""
    facts = error_facts(error)
    return ToolResult(content=error_text(facts), structured_content=facts, is_error=True)


class RefuseBadCalls(Middleware):
    """Words for calls that never reach a tool: wrong arguments, or a tool that does not exist."""

    async def on_call_tool(
        self,
        context: MiddlewareContext[mcp_types.CallToolRequestParams],
        call_next: CallNext[mcp_types.CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        """Answer with `invalid_request` and what is wrong, in one sentence."""
        try:
            return await call_next(context)
        except ValidationError as error:
            return error_result(InvalidRequestError(wrong_arguments(error)))
        except NotFoundError:
            return error_result(await _no_such_tool(context))


def wrong_arguments(error: ValidationError) -> str:
    """What is wrong with the arguments of a call, in one sentence."""
    cause = error.__cause__
    if not isinstance(cause, ArgumentsError):
        return "The arguments are not what the tool's schema asks for."
    # The input itself is left out: the caller has it, and it may be huge.
    found = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in cause.errors()]
    return f"Wrong arguments: {'; '.join(found[:5])}."


async def _no_such_tool(context: MiddlewareContext[mcp_types.CallToolRequestParams]) -> InvalidRequestError:
    server = context.fastmcp_context.fastmcp if context.fastmcp_context else None
    names = [tool.name for tool in await server.list_tools(run_middleware=False)] if server else []
    return InvalidRequestError(
        "There is no such tool here.",
        next_step="Call one of the tools that tools/list names.",
        suggestions=tuple(get_close_matches(context.message.name, names, n=3)),
    )
