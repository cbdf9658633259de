"""The HTTP routes beside `/mcp`: thin, no logic."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from fastmcp import FastMCP
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


def add_routes(
    server: FastMCP,
    *,
    version: str,
    uptime: Callable[[], float],
    summary: Callable[[], dict[str, Any]],
    registry: "CollectorRegistry | None",
) -> None:
    """Add `/health`, `/health/metrics` and, when there is a registry, `/metrics`.

    `uptime` gives seconds since the start, `summary` the figures of every operation.
    """

    @server.custom_route("/health", methods=["GET"])
    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "healthy", "version": version, "uptime_seconds": round(uptime(), 3)})

    @server.custom_route("/health/metrics", methods=["GET"])
    async def health_metrics(_request: Request) -> Response:
        return JSONResponse({"version": version, **await to_thread.run_sync(summary)})

    @server.custom_route("/metrics", methods=["GET"])
    async def metrics(_request: Request) -> Response:
        if registry is None:
            return PlainTextResponse("OTEL_METRICS_EXPORTER does not contain prometheus.\n", status_code=404)
        # Imported here for start-up time. The text is made in a thread: with many series it takes a while.
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415

        text = await to_thread.run_sync(generate_latest, registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)
