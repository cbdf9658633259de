"""The one border where a question becomes an MCP tool.

A question is an async function: its parameters are the tool's, its docstring is what a model reads, its result an
`Answer`. What the border adds, so that no tool repeats it: the client in the caller's manner, a parameter `cursor` for
lists, the cut to the token budget, progress while it waits for the quota, and errors as answers.
"""

import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_type_hints

from fastmcp import Context, FastMCP
from fastmcp.tools.base import Tool, ToolResult
from mcp_types import ToolAnnotations
from pydantic import Field

from libraries_io_mcp.answer import cursor as cursors
from libraries_io_mcp.answer.cutting import cut
from libraries_io_mcp.answer.failure import DefectError, error_result
from libraries_io_mcp.answer.model import Answer, LongAnswer, SourcedAnswer, lines
from libraries_io_mcp.answer.schema import input_schema, output_schema
from libraries_io_mcp.answer.spelling import said_of
from libraries_io_mcp.answer.waiting import Waiting
from libraries_io_mcp.errors import LibrariesIOMCPError, NotFoundError
from libraries_io_mcp.librariesio.client import LibrariesIOClient

logger: Final = logging.getLogger(__name__)
Question = Callable[..., Awaitable[Answer]]
READS: Final = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=True)


@dataclass(frozen=True, slots=True)
class FromCursor:
    """Marks a parameter that only a cursor sets; clients do not see it."""


@dataclass(frozen=True, slots=True)
class PerAnswer:
    """Marks the parameter that says how many items of a whole list one answer may show; the border cuts to it."""


CursorPage = Annotated[int, FromCursor()]
"""The page of Libraries.io that a question asks for, when a cursor alone moves it on. Default it to 1."""
Limit = Annotated[int, PerAnswer(), Field(ge=1, le=100, description="Most per answer.")]
CursorText = Annotated[
    str | None,
    Field(max_length=cursors.LONGEST_CURSOR, description="Of this call's truncated answer."),
]


NO_HEALTH: Final[dict[str, Any]] = {"status": "unknown", "score": None, "checks": {}}
"""The report of a server that checks nothing."""


class Tools:
    """Where a domain puts its tools."""

    def __init__(
        self, server: FastMCP, client: LibrariesIOClient, *, health: Callable[[], dict[str, Any]] = lambda: NO_HEALTH
    ) -> None:
        """`health` gives the health report as JSON has it."""
        self.server = server
        self.client = client
        self.health = health
        self.names: list[str] = []
        self.switched_off: Callable[[], Collection[str]] = tuple
        """The tools that are not offered here, so that no error sends an agent to one of them."""

    def add(self, title: str, question: Question, *, annotations: ToolAnnotations = READS) -> None:
        """Make a tool of a question, under the question's own name.

        A parameter annotated `LibrariesIOClient` gets the client; one of type `Context` gets FastMCP's context; one
        annotated `CursorPage` is set by the cursor; a `LongAnswer` gets a parameter `cursor`.
        """
        border = _Border(question, self.client, self.switched_off)
        tool = Tool.from_function(
            border.function(),
            title=title,
            # Said here, so that the library need not load a parser of docstrings (40 ms) to find it.
            description=inspect.getdoc(question),
            output_schema=output_schema(border.answer),
            annotations=annotations,
        )
        self.server.add_tool(tool.model_copy(update={"parameters": input_schema(tool.parameters)}))
        self.names.append(question.__name__)


class _Border:
    """What lies between one tool and its question."""

    def __init__(
        self, question: Question, client: LibrariesIOClient, switched_off: Callable[[], Collection[str]]
    ) -> None:
        self._question = question
        self._switched_off = switched_off
        self._client = client
        self._name = question.__name__
        hints = get_type_hints(question, include_extras=True)
        self.answer: type[Answer] = hints.pop("return")
        self._client_parameter = next((name for name, hint in hints.items() if hint is LibrariesIOClient), None)
        self._page_parameter = next((name for name, hint in hints.items() if hint == CursorPage), None)
        self._hints = {
            name: hint for name, hint in hints.items() if name not in (self._client_parameter, self._page_parameter)
        }
        self._limit_parameter = next((name for name, hint in hints.items() if _is_limit(hint)), None)
        if issubclass(self.answer, LongAnswer):
            self._hints["cursor"] = CursorText
        self._signature = self._public_signature()

    def function(self) -> Callable[..., Awaitable[ToolResult]]:
        """What FastMCP calls. It never raises: an error is an answer too."""

        async def tool(*args: Any, **kwargs: Any) -> ToolResult:
            bound = self._signature.bind(*args, **kwargs)
            bound.apply_defaults()
            try:
                return await self._result(bound.arguments)
            except LibrariesIOMCPError as error:
                return error_result(error, self._switched_off())
            except Exception:
                logger.exception("unexpected failure in %s", self._name)
                return error_result(DefectError("This server has a defect."))

        tool.__name__ = tool.__qualname__ = self._name
        tool.__module__ = self._question.__module__
        tool.__annotations__ = {**self._hints, "return": ToolResult}
        tool.__signature__ = self._signature  # type: ignore[attr-defined]  # what inspect.signature reads
        return tool

    def _public_signature(self) -> inspect.Signature:
        given = inspect.signature(self._question).parameters
        public = [given[name].replace(annotation=hint) for name, hint in self._hints.items() if name in given]
        if "cursor" in self._hints:
            public.append(
                inspect.Parameter(
                    "cursor", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=CursorText
                )
            )
        return inspect.Signature(public, return_annotation=ToolResult)

    async def _result(self, arguments: dict[str, Any]) -> ToolResult:
        text = arguments.pop("cursor", None)
        shown = {name: value for name, value in arguments.items() if not isinstance(value, Context)}
        question = cursors.fingerprint_of_question(self._name, shown)
        at = cursors.decode(text, question) if text else None
        answer = await self._ask(arguments, at)
        if isinstance(answer, LongAnswer):
            if at is not None:
                at.check(answer.items())
            limit = arguments.get(self._limit_parameter) if self._limit_parameter else None
            answer = cut(answer, question=question, start=at.s if at else 0, limit=limit)
        return ToolResult(content=_text(answer), structured_content=answer.model_dump(mode="json"))

    async def _ask(self, arguments: Mapping[str, Any], at: cursors.Cursor | None) -> Answer:
        given = dict(arguments)
        if at is not None and at.p:
            given[self._page_parameter or "page"] = at.p
        async with Waiting() as waiting:
            client = self._client.asking(on_wait=waiting.told)
            if self._client_parameter is not None:
                given[self._client_parameter] = client
            try:
                return await self._question(**given)
            except NotFoundError as error:
                raise await said_of(error, client, arguments) from error


def _is_limit(hint: Any) -> bool:
    return any(isinstance(mark, PerAnswer) for mark in getattr(hint, "__metadata__", ()))


def _text(answer: Answer) -> str:
    rest = None
    if isinstance(answer, LongAnswer) and answer.truncated:
        count = "More" if answer.left_out is None else f"{answer.left_out} more"
        how = f"go on with cursor {answer.cursor}" if answer.cursor else "Libraries.io does not show them"
        rest = f"{count} left out: {how}"
    return lines(answer.text(), rest, answer.provenance.text() if isinstance(answer, SourcedAnswer) else None)
