"""The HTTP routes beside `/mcp`: thin, no logic."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from fastmcp import FastMCP
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from libraries_io_mcp.health.check import Status
from libraries_io_mcp.health.report import Report
from libraries_io_mcp.reports import Alerts

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


def add_routes(
    server: FastMCP,
    *,
    version: str,
    uptime: Callable[[], float],
    summary: Callable[[], dict[str, Any]],
    registry: "CollectorRegistry | None",
    health: Callable[[], Report],
    alerts: Alerts,
) -> None:
    """Add `/health` and what is below it, `/alerts` likewise, and `/metrics`, which is a 404 without a registry.

    `uptime` gives seconds since the start, `summary` the figures of every operation, `health` what the checks found.
    """
    _add_health(server, version=version, uptime=uptime, report=health)
    _add_figures(server, version=version, summary=summary, registry=registry, report=health)
    _add_checks(server, report=health)
    _add_alerts(server, alerts)


def _add_health(server: FastMCP, *, version: str, uptime: Callable[[], float], report: Callable[[], Report]) -> None:

    @server.custom_route("/health", methods=["GET"])
    async def alive(_request: Request) -> Response:
        # The process lives and its event loop turns: nothing else is looked at, or an outage of somebody else's would
        # have it restarted.
        return _json({"status": "healthy", "version": version, "uptime_seconds": round(uptime(), 3)})

    @server.custom_route("/health/ready", methods=["GET"])
    async def ready(_request: Request) -> Response:
        yes = report().ready
        return _json({"status": "ready" if yes else "not_ready"}, 200 if yes else 503)

    @server.custom_route("/health/detailed", methods=["GET"])
    async def detailed(_request: Request) -> Response:
        found = report()
        return _json(found.facts(), _status(found.status))


def _add_figures(
    server: FastMCP,
    *,
    version: str,
    summary: Callable[[], dict[str, Any]],
    registry: "CollectorRegistry | None",
    report: Callable[[], Report],
) -> None:
    @server.custom_route("/health/metrics", methods=["GET"])
    async def health_metrics(_request: Request) -> Response:
        found = report()
        figures = await to_thread.run_sync(summary)
        return _json({"version": version, "score": found.score, "checks": found.counts(), **figures})

    @server.custom_route("/metrics", methods=["GET"])
    async def metrics(_request: Request) -> Response:
        if registry is None:
            return PlainTextResponse("OTEL_METRICS_EXPORTER does not contain prometheus.\n", status_code=404)
        # Imported here for start-up time. The text is made in a thread: with many series it takes a while.
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415

        text = await to_thread.run_sync(generate_latest, registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)


def _add_checks(server: FastMCP, *, report: Callable[[], Report]) -> None:
    # Last, since it takes every name that the routes above have left.
    @server.custom_route("/health/{check}", methods=["GET"])
    async def one(request: Request) -> Response:
        findings = {finding.name: finding for finding in report().findings}
        found = findings.get(request.path_params["check"])
        if found is None:
            return _json({"error": "There is no such check.", "checks": list(findings)}, 404)
        return _json({"name": found.name, **found.facts()}, _status(found.status))


def _add_alerts(server: FastMCP, alerts: Alerts) -> None:
    # In threads: the first question may have to wait until the rules are read.
    @server.custom_route("/alerts", methods=["GET"])
    async def active(_request: Request) -> Response:
        return _json(await to_thread.run_sync(alerts.facts))

    @server.custom_route("/alerts/history", methods=["GET"])
    async def history(_request: Request) -> Response:
        return _json(await to_thread.run_sync(alerts.history_facts))

    @server.custom_route("/alerts/{fingerprint}/resolve", methods=["POST"])
    async def resolve(request: Request) -> Response:
        fingerprint = request.path_params["fingerprint"]
        active = (await to_thread.run_sync(alerts.facts))["active"]
        already = any(each["fingerprint"] == fingerprint and each["resolved_by_hand"] for each in active)
        if await to_thread.run_sync(alerts.resolve, fingerprint):
            return _json({"fingerprint": fingerprint, "resolved": True, "already": already})
        known = [each["fingerprint"] for each in active if each["state"] == "firing"]
        return _json({"error": "No alert with this fingerprint fires.", "active": known}, 404)


def _status(status: Status) -> int:
    return 503 if status == "unhealthy" else 200


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(content, status, {"Cache-Control": "no-store"})
