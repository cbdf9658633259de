"""The API keys that the sandbox knows, and how a key is shown."""

import re

KNOWN_KEY = "5a4db0c05a4db0c05a4db0c05a4db0c0"
"""The key that every sandbox accepts unless it is told otherwise. It opens nothing anywhere else."""

DEFAULT_LIMIT = 60
"""Requests that a key may make in one window."""

MASK = "***"

_KEY_IN_QUERY = re.compile(r"(api_key=)[^&\s]*")


def mask_keys(text: str) -> str:
    """The text with the value of every `api_key` parameter replaced."""
    return _KEY_IN_QUERY.sub(rf"\g<1>{MASK}", text)
