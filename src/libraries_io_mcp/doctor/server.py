"""The server's own address: free, taken by a server that runs and how that one is, or taken by somebody else."""

import errno
import socket
from collections.abc import Iterator
from typing import Any, Final

import httpx

from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.settings import ServerSettings, Settings
from libraries_io_mcp.telemetry.reasons import reason

SECONDS: Final = 6.0
DETAILED: Final = "/health/detailed"


async def examine_address(settings: Settings) -> tuple[Finding, ...]:
    """Finding `server`, and more if one runs there."""
    server = settings.server
    if server.transport != "http":
        return (Finding("server", "skipped", "MCP_TRANSPORT", "stdio: no address is needed"),)
    tried = f"listening on {server.host}:{server.port}"
    error = _listen(server)
    if error is None:
        return (Finding("server", "ok", tried, "the address is free; no server runs there"),)
    if error.errno == errno.EADDRINUSE:
        return await examine_server(address_of(server))
    advice = "MCP_HOST must be an address of this machine, and ports below 1024 need rights."
    return (Finding("server", "broken", tried, reason(error), advice),)


async def examine_server(url: str) -> tuple[Finding, ...]:
    """Whether a server of ours runs there and is ready, and what its own checks say. Costs nothing upstream."""
    tried = f"GET {url}/health and {url}/health/ready"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=SECONDS, base_url=url) as client:
            alive, ready, detailed = [await client.get(path) for path in ("/health", "/health/ready", DETAILED)]
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        why = "no answer in time" if isinstance(error, httpx.TimeoutException) else reason(error)
        advice = "Start it: libraries-io-mcp serve --transport http. Or another program has the port: see MCP_PORT."
        return (Finding("server", "broken", tried, why, advice),)
    facts = _object(alive)
    if alive.status_code != 200 or not {"status", "version", "uptime_seconds"} <= facts.keys():
        found = f"status {alive.status_code} of another program"
        advice = "Choose another MCP_PORT, or end the program that has this one."
        return (Finding("server", "broken", tried, found, advice),)
    runs = f"version {facts['version']} runs since {facts['uptime_seconds']:.0f} s"
    checks = _checks(f"GET {url}{DETAILED}", detailed)
    if ready.status_code != 200:
        advice = f"GET {url}{DETAILED} on that machine says which check is unhealthy and what to do."
        return (Finding("server", "broken", tried, f"{runs}, and it is not ready", advice), *checks)
    return (Finding("server", "ok", tried, f"{runs}, and it is ready"), *checks)


def _checks(tried: str, reply: httpx.Response) -> Iterator[Finding]:
    """A finding for each check that is not well, and for telemetry that was lost, even if all is well by now."""
    checks = _object(reply).get("checks")
    if not isinstance(checks, dict):
        advice = "Ask on that machine, or bring a token as docs/operations.md says."
        yield Finding(
            "server checks", "skipped", tried, f"not shown to this machine (status {reply.status_code})", advice
        )
        return
    wrong = {name: check for name, check in checks.items() if check.get("status") in {"degraded", "unhealthy"}}
    for name, check in wrong.items():
        found = f"{check['status']}: {check.get('error')}"
        yield Finding(f"server {name}", "warning", tried, found, check.get("what_to_do"))
    if not wrong:
        unknown = [name for name, check in checks.items() if check.get("status") == "unknown"]
        known = f"; not known yet: {', '.join(unknown)}" if unknown else ""
        yield Finding("server checks", "ok", tried, f"{len(checks)} checks, none of them unhealthy or degraded{known}")
    ways = checks.get("telemetry_export", {}).get("details", {})
    lost = {way: counts for way, counts in ways.items() if isinstance(counts, dict) and _lost(counts)}
    if lost:
        words = "; ".join(f"{way}: {_lost(it)} of {it['offered']}, {it['last_error']}" for way, it in lost.items())
        advice = "See `collector`: it must take all, and faster than they come (docs/operations.md)."
        yield Finding("server telemetry", "warning", tried, f"lost since the start: {words}", advice)


def _lost(counts: dict[str, Any]) -> int:
    return int(counts["failed"] + counts["dropped"])


def address_of(server: ServerSettings) -> str:
    """Where a server with these settings is reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)  # noqa: S104 - only compared with
    return f"http://[{host}]:{server.port}" if ":" in host else f"http://{host}:{server.port}"


def _listen(server: ServerSettings) -> OSError | None:
    with socket.socket(socket.AF_INET6 if ":" in server.host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((server.host, server.port))
            # Without this, another program's listening socket may go unnoticed.
            listener.listen(1)
        except OSError as error:
            return error
    return None


def _object(reply: httpx.Response) -> dict[str, Any]:
    try:
        found = reply.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
