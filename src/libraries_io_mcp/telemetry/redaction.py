"""One scrubber for every way out: known secrets, key-shaped values, e-mail addresses, values in query strings.

The API key is kept away from spans and logs by construction (it is added below the tracing); this is the backstop.
Nearly every text holds nothing to hide, so the first question is asked of many texts at once and costs a few substring
searches: `suspicious`. Only what fails it is looked at by the patterns. A bare run of hex digits is no secret: trace
ids look like that.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
SHORTEST_SECRET: Final = 3
"""A shorter "secret" would black out half of every text."""
HARMLESS_PARAMETERS: Final = frozenset(
    {"direction", "include_versions", "kind", "order", "page", "per_page", "platforms", "sort", "subset"}
)
"""Parameters of query strings whose values may be seen."""

_KEY_WORDS: Final = (
    *("api_key", "apikey", "api-key", "access_key", "accesskey", "access-key", "token", "secret", "passw"),
    *("authoriz", "bearer", "credential"),
)
_KEY_NAME: Final = (
    r"(?:api[_-]?key|access[_-]?key|(?:access|refresh|auth|bearer|id|session)?[_-]?token|secret(?:[_-]?key)?"
    r"|passw(?:or)?d|passwd|authorization|credentials?)"
)
_KEY_NAMED: Final = re.compile(rf"(?:^|[._-]){_KEY_NAME}$", re.IGNORECASE)
_BEARER: Final = re.compile(r"\b(bearer\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
_KEY_SHAPED: Final = re.compile(
    rf"(?<![A-Za-z0-9])({_KEY_NAME}\\?[\"']?\s*(?:=|:)\s*\\?[\"']?)(?!\*\*\*)(?:(?:bearer|basic|token)\s+)?[^\s\"'&,;<>(){{}}\[\]\\]+",
    re.IGNORECASE,
)
_USER_INFO: Final = re.compile(r"(://)[^\s/@?#\"'<>]+@")
_E_MAIL: Final = re.compile(
    # As people write it, or as it stands inside an address, where `@` is `%40`, or `%2540` if it was quoted twice.
    r"(?:[^\s@<>\"(),:;\[\]\\]{1,64}@|[\w.~!$&'*+=%-]{1,64}%(?:25)*40)"
    # A version (left-pad@1.3.0) ends in digits, a host in letters or in the spelling of foreign letters.
    r"(?:[\w-]+\.)+(?:xn--[\w-]+|[^\W\d_]{2,})"
)
_QUERY: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s?#\"'<>]*|(?<![^\s\"'=(])/[^\s?#\"'<>]*)\?([^\s#\"'<>]+)")


class Redactor:
    """Masks what must not leave the process. Texts without any of it come back as the same object."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {spelling for secret in secrets for spelling in _spellings(secret)}
        # The longest first, so that a secret that contains another one goes as a whole.
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    def suspicious(self, text: str) -> bool:
        """Whether there may be something to hide; `False` is certain. Meant for many texts joined into one."""
        if "@" in text or "?" in text or "%40" in text or "%25" in text:
            return True
        lower = text.lower()
        return any(word in lower for word in _KEY_WORDS) or any(secret in text for secret in self._secrets)

    def text(self, text: str) -> str:
        """The text with everything masked; the same object when there is nothing to mask."""
        if not self.suspicious(text):
            return text
        clean = text
        for secret in self._secrets:
            if secret in clean:
                clean = clean.replace(secret, MASK)
        if "?" in clean:
            clean = _QUERY.sub(_masked_query, clean)
        if "@" in clean or "40" in clean:
            clean = _E_MAIL.sub(MASK, _USER_INFO.sub(rf"\1{MASK}@", clean))
        lower = clean.lower()
        if any(word in lower for word in _KEY_WORDS):
            clean = _BEARER.sub(rf"\1{MASK}", _KEY_SHAPED.sub(rf"\1{MASK}", clean))
        return text if clean == text else clean

    def value(self, value: Any) -> Any:
        """The same for an attribute value: text, or a sequence or mapping that may hold text."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self.attributes(value)
        if isinstance(value, list | tuple):
            clean = [self.value(item) for item in value]
            same = all(new is old for new, old in zip(clean, value, strict=True))
            return value if same else type(value)(clean)
        return value

    def attributes(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same for named values; a text under a name such as `api_key` is masked whatever it is."""
        clean = {self.value(key): self._named(key, value) for key, value in attributes.items()}
        same = all(new is old for new, old in zip(clean.values(), attributes.values(), strict=False))
        return attributes if same and clean.keys() == attributes.keys() else clean

    def _named(self, name: Any, value: Any) -> Any:
        if isinstance(value, str) and isinstance(name, str) and _KEY_NAMED.search(name):
            return MASK
        return self.value(value)


def _spellings(secret: str) -> Iterable[str]:
    """A secret as it is, and as it stands inside JSON, an address and a Python literal."""
    if len(secret) < SHORTEST_SECRET:
        return ()
    return {
        secret,
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        repr(secret)[1:-1],
    }


def _masked_query(match: re.Match[str]) -> str:
    parts = (part.partition("=") for part in match[2].split("&"))
    shown = (
        f"{name}{sign}{value if name in HARMLESS_PARAMETERS or value in {'', MASK} else MASK}"
        for name, sign, value in parts
    )
    return f"{match[1]}?{'&'.join(shown)}"
