"""The control routes below `/_sandbox`: for tests and demonstrations on the same machine, not part of the API."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from libraries_io_mcp.sandbox.request_log import RequestLog

Endpoint = Callable[[Request], Awaitable[Response]]


def control_routes(log: RequestLog) -> list[Route]:
    """`GET` and `DELETE /_sandbox/requests`."""

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            log.clear()
        return JSONResponse(log.report())

    return [Route("/_sandbox/requests", local_only(requests), methods=["GET", "DELETE"])]


def local_only(endpoint: Endpoint) -> Endpoint:
    """The endpoint, for callers on this machine; 403 for others."""

    async def checked(request: Request) -> Response:
        if not _is_local(request):
            return JSONResponse({"error": "only for callers on this machine"}, 403)
        return await endpoint(request)

    return checked


def _is_local(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
