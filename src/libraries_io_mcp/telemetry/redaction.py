"""One scrubber for known secrets, used by every way out.

The API key is kept away from spans and logs by construction (it is added below the tracing); this is the backstop.
"""

import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "***"
_QUERY_SECRET: Final = re.compile(r"(api_key=)[^&\s\"'>#]+", re.IGNORECASE)


class Redactor:
    """Replaces known secrets, and any `api_key=` value, in text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first, so that a secret that contains another one goes as a whole.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    def text(self, text: str) -> str:
        """The text with each secret replaced by `***`; the same object when there is none in it."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        return _QUERY_SECRET.sub(rf"\1{MASK}", text) if "api_key=" in text.lower() else text

    def value(self, value: object) -> object:
        """The same for an attribute value: text, or a sequence or mapping that may hold text."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return type(value)(self.value(item) for item in value)
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        return value
