"""The border: whatever httpx or the service sends that is no answer becomes one of the exceptions in `errors.py`."""

import email.utils
from typing import Final

import httpx

from libraries_io_mcp.errors import (
    CallError,
    ForbiddenError,
    InvalidReplyError,
    InvalidRequestError,
    KeyMissingError,
    KeyRejectedError,
    NotFoundError,
    QuotaExceededError,
    UpstreamFaultError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from libraries_io_mcp.librariesio.body import TruncatedReply

LONGEST_RETRY_AFTER: Final = 24 * 3600.0
_EXCEPTIONS: Final[tuple[tuple[type[httpx.RequestError], type[CallError], str], ...]] = (
    (httpx.ConnectTimeout, UpstreamUnreachableError, "Libraries.io did not accept a connection in time."),
    (httpx.TimeoutException, UpstreamTimeoutError, "Libraries.io did not answer in time."),
    (TruncatedReply, InvalidReplyError, "Libraries.io's answer was cut off in the middle."),
    (httpx.UnsupportedProtocol, InvalidReplyError, "Libraries.io redirected the question to another host."),
    (httpx.ProxyError, UpstreamUnreachableError, "The proxy made no connection to Libraries.io."),
    (httpx.ConnectError, UpstreamUnreachableError, "No connection to Libraries.io could be made."),
    (httpx.RequestError, UpstreamUnreachableError, "The connection to Libraries.io broke before the answer was whole."),
)


def fault_of_exception(error: httpx.RequestError) -> CallError:
    """The typed error for an exception of httpx. It holds no text of the original, which may name a URL."""
    return next(fault(text) for kind, fault, text in _EXCEPTIONS if isinstance(error, kind))


def fault_of_reply(reply: httpx.Response, *, key_present: bool) -> CallError | None:
    """The typed error for a reply, or `None` when it is 204, or 2xx with JSON.

    A redirect that is left over is one that could not be followed.
    """
    status = reply.status_code
    if status == 202:
        return UpstreamTimeoutError(
            "Libraries.io is still working on the answer.", status_code=status, retry_after=retry_after_of(reply)
        )
    if status == 204 or (200 <= status < 300 and _is_json(reply)):
        return None
    if status >= 500:
        return _fault_of_5xx(reply)
    if 400 <= status < 500 and not _is_html(reply) and (fault := _fault_of_4xx(reply, key_present=key_present)):
        return fault
    if _is_json(reply) or 300 <= status < 400:
        return InvalidReplyError(f"Libraries.io answered with status {status}, which says nothing.", status_code=status)
    kind = "an HTML page" if _is_html(reply) else "something other than JSON"
    return InvalidReplyError(f"Libraries.io answered with status {status} and {kind}.", status_code=status)


def error_type_of(outcome: httpx.Response | BaseException | None) -> str:
    """The `error_type` that an attempt's outcome stands for."""
    if isinstance(outcome, httpx.Response):
        fault = fault_of_reply(outcome, key_present=True)
        return fault.error_type if fault else CallError.error_type
    if isinstance(outcome, httpx.RequestError):
        return fault_of_exception(outcome).error_type
    return CallError.error_type


def retry_after_of(reply: httpx.Response) -> float | None:
    """Seconds that the reply asks to wait, from 0 to a day; both forms of `Retry-After` are read."""
    text = reply.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER)
    try:
        # An HTTP date is compared with the service's own clock.
        until, since = (email.utils.parsedate_to_datetime(value) for value in (text, reply.headers.get("date", "")))
        return min(max((until - since).total_seconds(), 0.0), LONGEST_RETRY_AFTER)
    except (ValueError, TypeError):
        return None


def _fault_of_5xx(reply: httpx.Response) -> CallError:
    reason = {502: "a gateway error", 503: "that it is not available now", 504: "that it took too long"}
    said = reason.get(reply.status_code, "an error of its own")
    return UpstreamFaultError(
        f"Libraries.io answered with {said} (status {reply.status_code}).",
        status_code=reply.status_code,
        retry_after=retry_after_of(reply),
    )


def _fault_of_4xx(reply: httpx.Response, *, key_present: bool) -> CallError | None:
    status = reply.status_code
    if status == 429:
        return _fault_of_429(reply)
    if status == 403:
        return _fault_of_403(reply, key_present=key_present)
    if status == 404 and _is_json(reply):
        return NotFoundError("Libraries.io does not know that name.", status_code=status)
    # The service turns an error 400 of its own into a 404 without a body.
    if status in {400, 406, 422} or (status == 404 and not reply.content):
        return InvalidRequestError(
            "Libraries.io did not accept the question.",
            next_step="Look at each argument: it does not say which one it refused.",
            status_code=status,
        )
    return None


def _fault_of_429(reply: httpx.Response) -> CallError:
    if reply.headers.get("x-ratelimit-limit") == "0":
        return QuotaExceededError(
            "Libraries.io gives this API key a quota of 0 requests.",
            next_step="Ask Libraries.io's support about the limit of your key, or use another key.",
            retry_after=retry_after_of(reply),
            status_code=429,
        )
    return QuotaExceededError(
        "Libraries.io refused the call: the quota of this window is used up.",
        retry_after=retry_after_of(reply),
        status_code=429,
    )


def _fault_of_403(reply: httpx.Response, *, key_present: bool) -> CallError:
    if not _is_json(reply):
        if key_present:
            return KeyRejectedError("Libraries.io does not know this API key.", status_code=403)
        return ForbiddenError("Libraries.io refuses to answer this server.", status_code=403)
    if not key_present:
        return KeyMissingError("Libraries.io answers this question only to callers with an API key.", status_code=403)
    return ForbiddenError("Libraries.io does not permit this question to this API key.", status_code=403)


def _is_json(reply: httpx.Response) -> bool:
    return _media_type(reply) == "application/json" or _media_type(reply).endswith("+json")


def _is_html(reply: httpx.Response) -> bool:
    return _media_type(reply) in {"text/html", "application/xhtml+xml"}


def _media_type(reply: httpx.Response) -> str:
    return str(reply.headers.get("content-type", "")).split(";")[0].strip().lower()
