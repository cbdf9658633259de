"""What callers over HTTP may cost, and whether this machine allows as many connections."""

import resource
from typing import Final

from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.settings import Settings

_TOLD: Final = (
    "{max_request_bytes} bytes a request, {max_json_values} values and {max_json_depth} levels of JSON in it, "
    "{max_header_bytes} bytes a head, {max_held_bytes_per_caller} bytes of bodies a caller and {max_held_bytes} in all "
    "in memory, {max_concurrent_calls_per_caller} calls a caller and {max_concurrent_calls} in all at once, "
    "{max_queued_calls} wait for {queue_seconds:g} s, {call_timeout_seconds:g} s a call, "
    "{max_connections} connections, {max_sessions_per_caller} sessions a caller and {max_sessions} in all, "
    "{max_streams_per_caller} streams a caller and {max_streams} in all, "
    "{max_pipelined_requests} requests in a row on one before its answers are read, "
    "{header_seconds:g} s for a head, {body_seconds:g} s for a body, {send_seconds:g} s for an answer to be read, "
    "{idle_seconds:g} s between two requests, {session_idle_seconds:g} s a session without any"
)


def examine_limits(settings: Settings) -> tuple[Finding, ...]:
    """Finding `limits`."""
    limits = settings.limits
    if settings.server.transport != "http":
        return (Finding("limits", "skipped", "MCP_TRANSPORT", "stdio: one client, no limits"),)
    tried = "MCP_MAX_..., MCP_..._SECONDS and how many files this process may open"
    found = _TOLD.format(**limits.model_dump())
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= limits.open_files:
        return (Finding("limits", "ok", tried, found),)
    advice = f"Allow {limits.open_files} open files (ulimit -n), or lower MCP_MAX_CONNECTIONS."
    return (Finding("limits", "warning", tried, f"{found}; but only {hard} files may be open", advice),)
