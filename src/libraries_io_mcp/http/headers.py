"""ASGI middleware: what browsers are told about every answer, and which pages of others may read it (CORS)."""

from fnmatch import translate
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""What is not said yet is added: the status page has a policy of its own."""
REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Last-Event-ID",
    "Mcp-Method",
    "Mcp-Name",
    "Mcp-Protocol-Version",
    "Mcp-Session-Id",
    "Traceparent",
    "Tracestate",
)
ANSWER_HEADERS: Final = ("Mcp-Session-Id", "WWW-Authenticate", "Retry-After")


class SecureHeaders:
    """No sniffing of types, no referrer, and no frame round any answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of the ASGI protocol."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                message = {**message, "headers": given + [each for each in HEADERS if each[0] not in names]}
            await send(message)

        await self._app(scope, receive, adding)


def cors(origins: tuple[str, ...]) -> list[Middleware]:
    """The middleware that lets pages of these origins read answers; none without origins.

    Pages of other origins are refused before it, by FastMCP's own check. Patterns are those of that check.
    """
    if not origins:
        return []
    pattern = "|".join(translate(origin.rstrip("/").lower()) for origin in origins)
    return [
        Middleware(
            CORSMiddleware,
            allow_origin_regex=pattern,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=list(REQUEST_HEADERS),
            expose_headers=list(ANSWER_HEADERS),
        )
    ]
