"""The server as `fastmcp` commands want it: a function that builds it. fastmcp.json names this file."""

from fastmcp import FastMCP

from libraries_io_mcp.app import build_app
from libraries_io_mcp.settings import load_settings


def create_server() -> FastMCP:
    """The whole server, with its settings from the environment."""
    return build_app(load_settings()).server
