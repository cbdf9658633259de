"""The only place that knows the API key: it puts it on requests and takes it off replies and exceptions.

Everything above (tracing, quota, retry, the client) sees URLs, headers and exceptions without the key.
"""

import logging
import re
from typing import Final
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from libraries_io_mcp.errors import CallError

_KEY_PARAMETER: Final = re.compile(r"(api_key(?:=|%3D))[^&\s\"'>;,]*", re.IGNORECASE)
_URL_HEADERS: Final = ("location", "link")
REDACTED: Final = "REDACTED"


def without_key(text: str) -> str:
    """`text` with the value of every `api_key` parameter replaced."""
    return _KEY_PARAMETER.sub(rf"\1{REDACTED}", text)


class KeyFilter(logging.Filter):
    """Takes the key out of records of `httpcore`, which at DEBUG prints reply headers before we can scrub them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place; keep it."""
        message = record.getMessage()
        scrubbed = without_key(message)
        if scrubbed != message:
            record.msg, record.args = scrubbed, ()
        return True


class ApiKeyTransport(httpx.AsyncBaseTransport):
    """Adds `api_key` to the query of requests to `origin`, and to no other host.

    Scrubs it from `Location` and `Link`, and drops tracebacks from below, whose frames hold the URL with the key.
    `baggage` is taken off too: it is meant for the user's own services.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, *, key: SecretStr | None, origin: httpx.URL) -> None:
        self._inner = inner
        self._key = key
        self._origin = (origin.scheme, origin.host, origin.port)
        self._filter = KeyFilter()
        self._loggers = [logging.getLogger(name) for name in ("httpcore.http11", "httpcore.http2")]
        for logger in self._loggers:
            logger.addFilter(self._filter)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send with the key.

        Raises:
            httpx.TransportError, CallError: as raised below, without cause and traceback.
        """
        try:
            reply = await self._inner.handle_async_request(self._with_key(request))
        except httpx.TransportError as error:
            failure: Exception = type(error)(without_key(str(error)))
        except CallError as error:
            failure = error.with_traceback(None)
        else:
            for name in _URL_HEADERS:
                if name in reply.headers:
                    reply.headers[name] = without_key(reply.headers[name])
            return reply
        raise failure

    async def aclose(self) -> None:
        """Close the transport below."""
        for logger in self._loggers:
            logger.removeFilter(self._filter)
        await self._inner.aclose()

    def _with_key(self, request: httpx.Request) -> httpx.Request:
        url = request.url
        if (url.scheme, url.host, url.port) != self._origin:
            raise httpx.UnsupportedProtocol("refused to send the request to another host")
        if self._key is not None:
            joint = b"&" if url.query else b"?"
            parameter = b"api_key=" + quote(self._key.get_secret_value(), safe="").encode()
            url = url.copy_with(raw_path=url.raw_path + joint + parameter)
        headers = [(key, value) for key, value in request.headers.raw if key.lower() != b"baggage"]
        return httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=request.extensions)
