"""Reads whole replies, cut off at a size limit. Far down the stack, so that span and retry cover the transfer too."""

import zlib
from typing import Final, Protocol

import httpx

from libraries_io_mcp.errors import InvalidReplyError, ReplyTooLargeError

MAX_REPLY_BYTES: Final = 10 * 1024 * 1024
_DROPPED_HEADERS: Final = (b"content-encoding", b"content-length", b"transfer-encoding", b"set-cookie")


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
        # As bytes: httpx reads letters of any kind in a header, and writes none but those of ASCII.
        headers = [(key, value) for key, value in reply.headers.raw if key.lower() not in _DROPPED_HEADERS]
        return httpx.Response(reply.status_code, headers=headers, content=content, extensions=reply.extensions)

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()

    async def _read(self, reply: httpx.Response) -> bytes:
        content, unpacker = bytearray(), _unpacker(reply)
        try:
            async for chunk in _stream(reply):
                # One byte over the limit is enough to know, however much a small chunk would unpack to.
                if unpacker and unpacker.eof and chunk:
                    # zlib would keep whatever follows, without end.
                    raise _unreadable(reply)
                room = self._max_bytes + 1 - len(content)
                content += unpacker.decompress(chunk, room) if unpacker else chunk
                if len(content) > self._max_bytes:
                    raise ReplyTooLargeError(
                        f"Libraries.io sent more than {self._max_bytes} bytes.", status_code=reply.status_code
                    )
        except httpx.RemoteProtocolError:
            raise TruncatedReply("the connection ended in the middle of the body") from None
        except zlib.error:
            raise _unreadable(reply) from None
        if unpacker and content and not unpacker.eof:
            raise _unreadable(reply)
        return bytes(content)


class _Unpacker(Protocol):
    """What `zlib.decompressobj` makes."""

    @property
    def eof(self) -> bool:
        """Whether all has come."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """The next part, of `max_length` bytes at most."""


def _unpacker(reply: httpx.Response) -> _Unpacker | None:
    encoding = reply.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return None
    if encoding != "gzip":
        # Nothing else was asked for.
        raise _unreadable(reply)
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


def _unreadable(reply: httpx.Response) -> InvalidReplyError:
    return InvalidReplyError("Libraries.io sent a body that can't be decompressed.", status_code=reply.status_code)


def _stream(reply: httpx.Response) -> httpx.AsyncByteStream:
    # Not `aiter_bytes`: that unpacks a whole chunk before anybody can look at its size.
    if not isinstance(reply.stream, httpx.AsyncByteStream):
        raise TypeError("the transport below is not asynchronous")
    return reply.stream
