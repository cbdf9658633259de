"""One MCP request while it runs: what it is, what is known of it, how it ended."""

from dataclasses import dataclass, field
from typing import Any, Final

from fastmcp.exceptions import (
    AuthorizationError,
    DisabledError,
    NotFoundError,
    ToolError,
    ValidationError,
    to_mcp_error,
)
from fastmcp.tools.base import ToolResult
from mcp import MCPError
from opentelemetry.util.types import AttributeValue
from pydantic import ValidationError as ParametersError

from libraries_io_mcp.errors import LibrariesIOMCPError
from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.semconv import Attribute

TOOL_ERROR: Final = "tool_error"
INVALID_PARAMS: Final = -32602


@dataclass(slots=True)
class Operation:
    """One request.

    Attributes:
        attributes: for span, metric and log record alike: closed sets only. Requests of a kind share it: never changed.
        span_attributes: for the span alone: ids, addresses, what was asked.
    """

    method: str
    target: str | None
    attributes: dict[str, AttributeValue]
    span_attributes: dict[str, AttributeValue] = field(default_factory=dict)
    error_type: str | None = None
    call_error_type: str | None = None
    status_code: str | None = None

    @property
    def name(self) -> str:
        """The span name: method, and the tool or prompt if there is one."""
        return f"{self.method} {self.target}" if self.target else self.method

    @property
    def failed(self) -> bool:
        """Whether it ended in an error, be it the server's or the caller's."""
        return self.error_type is not None or self.status_code is not None

    def outcome(self) -> dict[str, AttributeValue]:
        """The attributes that only a failure has."""
        outcome: dict[str, AttributeValue] = {}
        if self.error_type is not None:
            outcome[Attribute.ERROR_TYPE] = self.error_type
        if self.status_code is not None:
            outcome[Attribute.RPC_STATUS_CODE] = self.status_code
        return outcome

    def read_result(self, result: Any) -> None:
        """A result may be an error answer of a tool."""
        if isinstance(result, ToolResult) and result.is_error:
            self.error_type = TOOL_ERROR
            error_type = (result.structured_content or {}).get("error_type")
            self.call_error_type = error_type if error_type in semconv.CALL_ERROR_TYPES else "internal"

    def read_exception(self, error: Exception) -> None:
        """What an exception becomes on the wire decides what it is called."""
        if self.method == "tools/call" and not isinstance(error, MCPError | ParametersError):
            self.error_type = TOOL_ERROR
            self.call_error_type = _call_error_type(error)
            return
        if isinstance(error, MCPError) and isinstance(error.error.data, dict):
            # Behind a resource stands a tool, whose error travels in the data.
            error_type = error.error.data.get("error_type")
            self.call_error_type = error_type if error_type in semconv.CALL_ERROR_TYPES else None
        code = INVALID_PARAMS if isinstance(error, ParametersError) else to_mcp_error(error).error.code
        self.status_code = str(code) if code in semconv.RPC_CODES else semconv.UNKNOWN_COMPONENT
        if code not in semconv.CALLERS_FAULT:
            self.error_type = self.status_code


def _call_error_type(error: Exception) -> str:
    if isinstance(error, ValidationError | NotFoundError | DisabledError):
        return "invalid_request"
    if isinstance(error, AuthorizationError):
        return "forbidden"
    cause = error.__cause__ if isinstance(error, ToolError) else error
    return cause.error_type if isinstance(cause, LibrariesIOMCPError) else "internal"
