"""Reads whole replies, cut off at a size limit. Far down the stack, so that span and retry cover the transfer too."""

from typing import Final

import httpx

from libraries_io_mcp.errors import InvalidReplyError, ReplyTooLargeError

MAX_REPLY_BYTES: Final = 10 * 1024 * 1024
_DROPPED_HEADERS: Final = ("content-encoding", "content-length", "transfer-encoding", "set-cookie")


class TruncatedReply(httpx.RemoteProtocolError):
    """The connection ended in the middle of a body."""


class BodyTransport(httpx.AsyncBaseTransport):
    """Hands on replies whose body is in memory, decompressed, at most `max_bytes` large.

    Raises:
        ReplyTooLargeError: the body passed the limit; the rest was not read.
        InvalidReplyError: the body can't be decompressed.
        TruncatedReply: the connection ended in the middle of the body.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, *, max_bytes: int = MAX_REPLY_BYTES) -> None:
        self._inner = inner
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and read the reply to its end."""
        reply = await self._inner.handle_async_request(request)
        try:
            content = await self._read(reply)
        finally:
            await reply.aclose()
        headers = [(key, value) for key, value in reply.headers.multi_items() if key.lower() not in _DROPPED_HEADERS]
        return httpx.Response(reply.status_code, headers=headers, content=content, extensions=reply.extensions)

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()

    async def _read(self, reply: httpx.Response) -> bytes:
        content = bytearray()
        try:
            async for chunk in reply.aiter_bytes():
                content += chunk
                if len(content) > self._max_bytes:
                    raise ReplyTooLargeError(
                        f"Libraries.io sent more than {self._max_bytes} bytes.", status_code=reply.status_code
                    )
        except httpx.RemoteProtocolError:
            raise TruncatedReply("the connection ended in the middle of the body") from None
        except httpx.DecodingError:
            raise InvalidReplyError(
                "Libraries.io sent a body that can't be decompressed.", status_code=reply.status_code
            ) from None
        return bytes(content)
