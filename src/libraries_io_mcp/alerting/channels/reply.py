"""What an HTTP reply means for a delivery."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from libraries_io_mcp.alerting.channels.notification import Done, GiveUp, Result, Retry

LONGEST_REPLY_BYTES: Final = 64 * 1024
LONGEST_ASKED_SECONDS: Final = 3600.0
"""What is asked for by `Retry-After` beyond this is taken as this."""
PASSING: Final = frozenset({408, 425, 429})
"""Statuses below 500 that pass by themselves."""


class ReplyTooLongError(Exception):
    """More than `LONGEST_REPLY_BYTES` came."""


async def post(
    client: httpx.AsyncClient,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float,
    now: Callable[[], float],
) -> Result:
    """Post once, within so many seconds in all. What is said of failures holds neither the address nor the reply."""
    try:
        status, reply_headers, _content = await exchange(client, "POST", url, seconds, body, headers)
    except ReplyTooLongError:
        return Done("the reply was longer than 64 KiB and was not read")
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
        return failure(error, seconds)
    return outcome(status, reply_headers.get("Retry-After"), now())


async def exchange(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    seconds: float,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, httpx.Headers, bytes]:
    """Status, headers and content of one reply. Redirects are not followed.

    Raises:
        httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError: no reply within the time.
        ReplyTooLongError: a good reply was too long; of a bad one only the beginning is read.
    """
    async with asyncio.timeout(seconds), client.stream(method, url, content=body, headers=headers) as reply:
        content = b""
        async for chunk in reply.aiter_raw():
            content += chunk
            if len(content) > LONGEST_REPLY_BYTES:
                if reply.is_success:
                    raise ReplyTooLongError
                break
        return reply.status_code, reply.headers, content


def outcome(status: int, retry_after: str | None, now: float) -> Result:
    """What a status means."""
    if 200 <= status < 300:
        return Done()
    if 300 <= status < 400:
        return GiveUp(f"it answered {status}, a redirect: not followed, since it may lead the token elsewhere")
    if status >= 500 or status in PASSING:
        return Retry(f"it answered {status}", seconds_asked(retry_after, now))
    return GiveUp(f"it answered {status}")


def seconds_asked(retry_after: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number or an HTTP date; `None` for anything else."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_ASKED_SECONDS)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max(0.0, at.timestamp() - now), LONGEST_ASKED_SECONDS)


def failure(error: Exception, seconds: float) -> Result:
    """What an exception on the way means. Its text may hold the address, so only its kind is said."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return GiveUp("its certificate can't be verified")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return GiveUp(f"the address or a header can't be used ({type(error).__name__})")
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return Retry(f"it did not answer within {seconds:g} s")
    return Retry(f"it can't be reached ({type(error).__name__})")
