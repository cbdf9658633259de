"""The control routes below `/_sandbox`: for tests and demonstrations on the same machine, not part of the API."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from libraries_io_mcp.sandbox.faults import Switchboard, make_fault
from libraries_io_mcp.sandbox.request_log import RequestLog

Endpoint = Callable[[Request], Awaitable[Response]]


def control_routes(log: RequestLog, switchboard: Switchboard) -> list[Route]:
    """`GET` and `DELETE /_sandbox/requests`; `GET`, `POST` and `DELETE /_sandbox/faults`."""

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            log.clear()
        return JSONResponse(log.report())

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            switchboard.clear()
        if request.method == "POST":
            try:
                switchboard.add(make_fault(dict(await request.json())))
            except (ValueError, TypeError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"faults": switchboard.report()})

    return [
        Route("/_sandbox/requests", local_only(requests), methods=["GET", "DELETE"]),
        Route("/_sandbox/faults", local_only(faults), methods=["GET", "POST", "DELETE"]),
    ]


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
