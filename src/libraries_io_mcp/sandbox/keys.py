"""The API keys that the sandbox knows, and how a key is shown."""

from urllib.parse import unquote_plus

KNOWN_KEY = "5a4db0c05a4db0c05a4db0c05a4db0c0"
"""The key that every sandbox accepts unless it is told otherwise. It opens nothing anywhere else."""

DEFAULT_LIMIT = 60
"""Requests that a key may make in one window."""

MASK = "***"


def mask_keys(query: str) -> str:
    """The query with the value of every `api_key` replaced, however its name is escaped."""
    return "&".join(_masked(part) for part in query.split("&"))


def _masked(part: str) -> str:
    name = part.partition("=")[0]
    return f"{name}={MASK}" if unquote_plus(name) == "api_key" else part
