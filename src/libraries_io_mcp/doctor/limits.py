"""What callers over HTTP may cost, and whether this machine allows as many connections."""

import resource

from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.settings import Settings


def examine_limits(settings: Settings) -> tuple[Finding, ...]:
    """Finding `limits`."""
    limits = settings.limits
    if settings.server.transport != "http":
        return (Finding("limits", "skipped", "MCP_TRANSPORT", "stdio: one client, no limits"),)
    tried = "MCP_MAX_..., MCP_..._SECONDS and how many files this process may open"
    found = (
        f"{limits.max_request_bytes} bytes a request, {limits.max_concurrent_calls_per_caller} calls a caller and "
        f"{limits.max_concurrent_calls} in all at once, {limits.max_queued_calls} wait, "
        f"{limits.call_timeout_seconds:g} s a call, {limits.max_connections} connections, "
        f"{limits.max_sessions_per_caller} sessions a caller and {limits.max_sessions} in all, "
        f"{limits.max_streams_per_caller} streams a caller and {limits.max_streams} in all, "
        f"{limits.max_pipelined_requests} requests in a row on one before its answers are read"
    )
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY or hard >= limits.open_files:
        return (Finding("limits", "ok", tried, found),)
    advice = f"Allow {limits.open_files} open files (ulimit -n), or lower MCP_MAX_CONNECTIONS."
    return (Finding("limits", "warning", tried, f"{found}; but only {hard} files may be open", advice),)
