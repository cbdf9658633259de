"""The Libraries.io MCP server: questions about open-source packages, answered and observed."""

__version__ = "0.1.0"
