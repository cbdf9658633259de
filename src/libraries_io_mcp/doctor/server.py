"""The server's own address: free, taken by a server that runs and how that one is, or taken by somebody else."""

import errno
import socket
from typing import Any, Final

import httpx

from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.settings import ServerSettings, Settings
from libraries_io_mcp.telemetry.reasons import reason

SECONDS: Final = 6.0


async def examine_address(settings: Settings) -> tuple[Finding, ...]:
    """Finding `server`."""
    server = settings.server
    if server.transport != "http":
        return (Finding("server", "skipped", "MCP_TRANSPORT", "stdio: no address is needed"),)
    tried = f"listening on {server.host}:{server.port}"
    error = _listen(server)
    if error is None:
        return (Finding("server", "ok", tried, "the address is free; no server runs there"),)
    if error.errno == errno.EADDRINUSE:
        return (await examine_server(address_of(server)),)
    advice = "MCP_HOST must be an address of this machine, and ports below 1024 need rights."
    return (Finding("server", "broken", tried, reason(error), advice),)


async def examine_server(url: str) -> Finding:
    """Whether a server of ours runs there, and whether it is ready. Costs nothing upstream."""
    tried = f"GET {url}/health and {url}/health/ready"
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=SECONDS, base_url=url) as client:
            alive, ready = await client.get("/health"), await client.get("/health/ready")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        why = "no answer in time" if isinstance(error, httpx.TimeoutException) else reason(error)
        advice = "Start it: libraries-io-mcp serve --transport http. Or another program has the port: see MCP_PORT."
        return Finding("server", "broken", tried, why, advice)
    facts = _object(alive)
    if alive.status_code != 200 or not {"status", "version", "uptime_seconds"} <= facts.keys():
        found = f"status {alive.status_code} of another program"
        return Finding(
            "server", "broken", tried, found, "Choose another MCP_PORT, or end the program that has this one."
        )
    runs = f"version {facts['version']} runs since {facts['uptime_seconds']:.0f} s"
    if ready.status_code != 200:
        advice = f"GET {url}/health/detailed on that machine says which check is unhealthy and what to do."
        return Finding("server", "broken", tried, f"{runs}, and it is not ready", advice)
    return Finding("server", "ok", tried, f"{runs}, and it is ready")


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
