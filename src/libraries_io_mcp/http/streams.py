"""ASGI middleware: a stream ends when the token that opened it is no longer good."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libraries_io_mcp.authentication.provider import Verify

LOOK_SECONDS: Final = 5.0
"""So long may somebody still listen whose token has been taken away."""


class EndRevoked:
    """Asks again and again about the token of a GET that is answered with events. Other answers end by themselves."""

    def __init__(
        self, app: ASGIApp, *, verify: Verify | None, sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    ) -> None:
        """`verify` says who brings a token; `None`: there are no tokens."""
        self._app = app
        self._verify = verify
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of the ASGI protocol."""
        token = _token(scope) if scope["type"] == "http" and scope["method"] == "GET" else ""
        if self._verify is None or not token:
            await self._app(scope, receive, send)
            return
        verify, watching, cancelling = self._verify, None, anyio.CancelScope()

        async def watch() -> None:
            while await verify(token) is not None:
                await self._sleep(LOOK_SECONDS)
            cancelling.cancel()

        async def sending(message: Message) -> None:
            nonlocal watching
            if _is_stream(message):
                watching = asyncio.create_task(watch(), name="token-of-a-stream")
            await send(message)

        try:
            with cancelling:
                await self._app(scope, receive, sending)
        finally:
            if watching is not None:
                watching.cancel()
        if cancelling.cancel_called:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _token(scope: Scope) -> str:
    scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _is_stream(message: Message) -> bool:
    return message["type"] == "http.response.start" and any(
        name == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"]
    )
