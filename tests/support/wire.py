"""MCP over HTTP without a client library, for tests that need the connection itself in their hands."""

from typing import Any, Final

import httpx
from tests.support.polling import HANG_SECONDS

HEADERS: Final = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
LEGACY: Final = "2025-06-18"
MODERN: Final = "2026-07-28"
CLIENT: Final = {"name": "test", "version": "1"}


def message(method: str, **params: Any) -> dict[str, Any]:
    """A JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def open_session(url: str) -> dict[str, str]:
    """Open a session as revisions before 2026-07-28 have it; returns the headers of its further requests."""
    opening = message("initialize", protocolVersion=LEGACY, capabilities={}, clientInfo=CLIENT)
    answer = httpx.post(url, json=opening, headers=HEADERS, timeout=HANG_SECONDS)
    headers = HEADERS | {"mcp-session-id": answer.headers["mcp-session-id"], "mcp-protocol-version": LEGACY}
    httpx.post(
        url, json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=headers, timeout=HANG_SECONDS
    )
    return headers


def tool_call(url: str, revision: str, tool: str, **arguments: Any) -> httpx.Request:
    """The request of a tool call in a revision of the protocol, ready to be sent."""
    if revision != MODERN:
        body = message("tools/call", name=tool, arguments=arguments)
        return httpx.Request("POST", url, json=body, headers=open_session(url))
    prefix = "io.modelcontextprotocol/"
    facts = {"protocolVersion": MODERN, "clientInfo": CLIENT, "clientCapabilities": {}}
    meta = {f"{prefix}{key}": value for key, value in facts.items()}
    headers = HEADERS | {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": tool}
    body = message("tools/call", name=tool, arguments=arguments, _meta=meta)
    return httpx.Request("POST", url, json=body, headers=headers)
