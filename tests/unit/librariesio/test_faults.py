import httpx
import pytest

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio.body import TruncatedReply
from libraries_io_mcp.librariesio.faults import fault_of_exception, fault_of_reply, retry_after_of

JSON, HTML, TEXT = ({"content-type": kind} for kind in ("application/json; charset=utf-8", "text/html", "text/plain"))


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (200, JSON, b"{}", type(None)),
        (204, {}, b"", type(None)),
        (200, HTML, b"<html>", errors.InvalidReplyError),
        (200, {}, b"{}", errors.InvalidReplyError),
        (302, {"location": "/x"}, b"", errors.InvalidReplyError),
        (400, JSON, b'{"owner": ["is required"]}', errors.InvalidRequestError),
        (403, TEXT, b"Forbidden\n", errors.KeyRejectedError),
        (403, JSON, b"{}", errors.ForbiddenError),
        (403, HTML, b"<html>", errors.InvalidReplyError),
        (404, JSON, b"{}", errors.NotFoundError),
        (404, HTML, b"<html>", errors.InvalidReplyError),
        (404, {}, b"", errors.InvalidRequestError),
        (418, JSON, b"{}", errors.InvalidReplyError),
        (422, JSON, b"{}", errors.InvalidRequestError),
        (429, {}, b"Retry later\n", errors.QuotaExceededError),
        (500, JSON, b"{}", errors.UpstreamFaultError),
        (502, HTML, b"<html>", errors.UpstreamFaultError),
        (503, JSON, b"{}", errors.UpstreamFaultError),
    ],
)
def test_each_reply_has_its_error(status, headers, body, expected):
    fault = fault_of_reply(httpx.Response(status, headers=headers, content=body), key_present=True)
    assert type(fault) is expected


@pytest.mark.parametrize("status", [304, 401, 410, 413])
def test_a_status_that_the_service_does_not_have_is_named_as_it_is(status):
    fault = fault_of_reply(httpx.Response(status, headers=JSON, content=b"{}"), key_present=True)
    assert type(fault) is errors.InvalidReplyError
    assert str(fault) == f"Libraries.io answered with status {status}, which says nothing."


def test_without_a_key_a_refusal_is_about_the_key():
    assert isinstance(
        fault_of_reply(httpx.Response(403, headers=JSON, content=b"{}"), key_present=False), errors.KeyMissingError
    )
    assert isinstance(
        fault_of_reply(httpx.Response(403, headers=TEXT, content=b"x"), key_present=False), errors.ForbiddenError
    )


def test_a_refusal_by_quota_says_when_to_come_back():
    fault = fault_of_reply(httpx.Response(429, headers={"retry-after": "17"}), key_present=True)
    assert fault is not None
    assert fault.retry_after == 17


def test_a_key_with_a_limit_of_0_is_named_as_such():
    fault = fault_of_reply(httpx.Response(429, headers={"x-ratelimit-limit": "0"}), key_present=True)
    assert "0 requests" in str(fault)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ReadTimeout("x"), errors.UpstreamTimeoutError),
        (httpx.ConnectTimeout("x"), errors.UpstreamUnreachableError),
        (httpx.ConnectError("x"), errors.UpstreamUnreachableError),
        (httpx.ReadError("x"), errors.UpstreamUnreachableError),
        (httpx.RemoteProtocolError("x"), errors.UpstreamUnreachableError),
        (TruncatedReply("x"), errors.InvalidReplyError),
        (httpx.UnsupportedProtocol("x"), errors.InvalidReplyError),
    ],
)
def test_each_exception_has_its_error(error, expected):
    assert type(fault_of_exception(error)) is expected


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3600"}, 3600),
        ({"retry-after": "99999999999999"}, 86400),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
    ],
)
def test_retry_after_is_read_in_both_forms(headers, seconds):
    assert retry_after_of(httpx.Response(429, headers=headers)) == seconds
