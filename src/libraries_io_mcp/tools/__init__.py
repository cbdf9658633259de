"""The tools, one file per domain. Each file ends with `register`."""

from typing import Protocol

from fastmcp import FastMCP

from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.tools import discover, package, server


class Domain(Protocol):
    """A file of tools."""

    def register(self, server: FastMCP, client: LibrariesIOClient) -> None:
        """Add the tools of the domain to the server."""


DOMAINS: dict[str, Domain] = {"discover": discover, "package": package, "server": server}


def register_tools(server: FastMCP, client: LibrariesIOClient) -> None:
    """Add the tools of every domain."""
    for domain in DOMAINS.values():
        domain.register(server, client)
