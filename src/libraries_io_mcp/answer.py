"""What every answer has in common: where it came from, one text form, and what an error looks like to an agent.

An answer is a pydantic model. It reaches the client once as structured content and once as a compact text that says
the same in words; the JSON is never repeated as text.
"""

import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from datetime import datetime
from difflib import get_close_matches
from functools import wraps
from typing import Annotated, Any, Final, Literal, ParamSpec

import mcp_types
from fastmcp.exceptions import NotFoundError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from pydantic import BaseModel, ConfigDict, Field
from pydantic import ValidationError as ArgumentsError

from libraries_io_mcp.errors import CallError, InvalidRequestError, LibrariesIOMCPError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.reply import Reply

logger: Final = logging.getLogger(__name__)
P = ParamSpec("P")


def shown(number: int | None) -> str:
    """A count for a text form; what is not known is not shown as 0."""
    return "unknown" if number is None else str(number)


class Provenance(BaseModel):
    """Where an answer came from, and what asking has left of the quota."""

    model_config = ConfigDict(frozen=True)

    endpoint: Annotated[str, Field(description="Libraries.io path that was asked, as a template.")]
    fetched_at: Annotated[datetime, Field(description="When Libraries.io gave these facts (UTC).")]
    source: Annotated[
        Literal["network", "cache", "stale"],
        Field(description="`stale`: Libraries.io could not be asked, so an older answer is given."),
    ]
    age_seconds: Annotated[float, Field(ge=0, description="Age of these facts now.")]
    quota_remaining: Annotated[int, Field(description="Requests left in this window.")]

    @classmethod
    def of(cls, reply: Reply[Any], client: LibrariesIOClient) -> "Provenance":
        """The provenance of a reply, with the quota as it is now."""
        return cls(
            endpoint=reply.endpoint,
            fetched_at=reply.fetched_at,
            source=reply.source,
            age_seconds=round(reply.age_seconds, 3),
            quota_remaining=client.quota().remaining,
        )

    def text(self) -> str:
        """One line for the end of an answer's text."""
        age = "" if self.source == "network" else f", {self.age_seconds:.0f} s old"
        return f"[{self.source}{age}; {self.quota_remaining} requests left]"


class Answer(BaseModel):
    """An answer of a tool or a resource."""

    model_config = ConfigDict(frozen=True)

    @abstractmethod
    def text(self) -> str:
        """The answer in a few plain lines."""


def result_of(answer: Answer) -> ToolResult:
    """The tool result of an answer: structured content, and its text."""
    return ToolResult(content=answer.text(), structured_content=answer.model_dump(mode="json"))


def error_result(error: LibrariesIOMCPError) -> ToolResult:
    """The tool result of an error: `error_type`, the message, what to do next, and what else is known."""
    facts: dict[str, Any] = {"error_type": error.error_type, "message": str(error)}
    text = str(error)
    if isinstance(error, CallError):
        facts["next_step"] = error.next_step
        text = f"{error.error_type}: {error} {error.next_step}"
        if error.retry_after is not None:
            facts["retry_after"] = round(error.retry_after, 1)
            text += f" retry_after: {error.retry_after:.1f} s."
        if error.suggestions:
            facts["suggestions"] = list(error.suggestions)
            text += f" Did you mean: {', '.join(error.suggestions)}?"
    return ToolResult(content=text, structured_content=facts, is_error=True)


def answers(question: Callable[P, Awaitable[Answer]]) -> Callable[P, Awaitable[ToolResult]]:
    """Turn a question into a tool function: its answer, or the one border where exceptions become error answers."""

    @wraps(question)
    async def tool(*args: P.args, **kwargs: P.kwargs) -> ToolResult:
        try:
            return result_of(await question(*args, **kwargs))
        except LibrariesIOMCPError as error:
            return error_result(error)
        except Exception:
            # A defect of ours: the log has the traceback, the client only learns that it happened.
            logger.exception("unexpected failure in %s", question.__name__)
            return ToolResult(
                content="internal: This server has a defect. Report it with the time of this call.",
                structured_content={
                    "error_type": "internal",
                    "message": "This server has a defect.",
                    "next_step": "Report it with the time of this call.",
                },
                is_error=True,
            )

    return tool


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
            return error_result(InvalidRequestError(_wrong_arguments(error)))
        except NotFoundError:
            return error_result(await _no_such_tool(context))


def _wrong_arguments(error: ValidationError) -> str:
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
