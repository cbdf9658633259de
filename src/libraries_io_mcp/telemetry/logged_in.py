"""Who has logged in for the current request."""

from collections.abc import Callable, Mapping

from fastmcp.server.dependencies import get_access_token

from libraries_io_mcp.telemetry.request_context import Callers


def logged_in(callers: Callers) -> Callable[[], Mapping[str, str] | None]:
    """Tells who has logged in for the current request, as far as it may be shown."""
    if not callers.shows:
        return lambda: None

    def caller() -> Mapping[str, str] | None:
        token = get_access_token()
        return callers.shown(str(token.claims.get("sub") or token.client_id)) if token is not None else None

    return caller
