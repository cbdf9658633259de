"""Replies as the service words them: JSON, and the errors in their several forms."""

import json
from collections.abc import Mapping
from hashlib import md5

from starlette.responses import Response

JSON_TYPE = "application/json; charset=utf-8"
CACHE_CONTROL = "max-age=0, private, must-revalidate"

WEB_PAGE = """<!DOCTYPE html>
<html>
<head><title>Sandbox of the Libraries.io API</title></head>
<body>
<h2>{heading}</h2>
</body>
</html>
"""
GATEWAY_PAGE = """<html><head>
<title>502 Server Error</title>
</head>
<body>
<h1>Error: Server Error</h1>
</body></html>
"""
READ_ONLY = "Error 503, Can't perform this action, the site is in read-only mode temporarily."
NOT_PERMITTED = "Error 403, you don't have permissions for this operation."


class ServiceError(Exception):
    """The request ends in an error that the service raises as an exception: no rate-limit headers, no ETag."""

    status = 500
    message = "internal server error"


class NotFoundError(ServiceError):
    status = 404
    message = "not found"


class BadRequestError(ServiceError):
    """A raised 400, which outside arrives as a 404 without body."""

    status = 404
    message = ""


def encode(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def json_reply(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A reply from a controller, with a weak ETag when it is a success."""
    content = encode(body)
    reply = Response(content, status, {"content-type": JSON_TYPE, **(headers or {})})
    if status == 200:
        reply.headers["etag"] = f'W/"{md5(content, usedforsecurity=False).hexdigest()}"'
        reply.headers["cache-control"] = CACHE_CONTROL
    return reply


def error_reply(error: ServiceError) -> Response:
    """The reply to a raised error."""
    if not error.message:
        return Response(status_code=error.status)
    return Response(encode({"error": error.message}), error.status, {"content-type": JSON_TYPE})


def accepted() -> Response:
    """202 without a body: the answer is being made, ask again."""
    return Response(status_code=202)


def not_permitted() -> Response:
    """403 in its JSON form: a key is needed, or one with more rights."""
    return json_reply({"error": NOT_PERMITTED}, status=403)


def read_only() -> Response:
    """503 for writes, while the service takes none."""
    return json_reply({"error": READ_ONLY}, status=503)


def web_page(heading: str) -> Response:
    """A page of the website, with status 200."""
    return Response(WEB_PAGE.format(heading=heading), 200, {"content-type": "text/html; charset=utf-8"})


def forbidden() -> Response:
    """403 in its text form: the key is unknown."""
    return Response("Forbidden\n", 403, {"content-type": "text/plain"})


def retry_later(headers: Mapping[str, str] | None = None) -> Response:
    """429: a text without a content type."""
    return Response("Retry later\n", 429, headers)


def unrouted() -> Response:
    """404 of the website, for paths that are no route of the API."""
    return Response(WEB_PAGE.format(heading="Page not found"), 404, {"content-type": "text/html; charset=utf-8"})


def bad_gateway() -> Response:
    """502 of the load balancer."""
    return Response(GATEWAY_PAGE, 502, {"content-type": "text/html; charset=UTF-8"})
