"""One scrubber for every way out: known secrets, key-shaped values, e-mail addresses, values in query strings.

Known secrets are looked for in the whole text. Patterns see at most `LONGEST_TEXT` characters of it: what is longer is
cut first and says so, so that nobody can make the server slow by the length of what they send. No pattern begins anew
at each character of a long run, which is what makes regular expressions quadratic.

The API key is kept away from spans and logs by construction (it is added below the tracing); this is the backstop.
Nearly every text holds nothing to hide, so the first question is asked of many texts at once and costs a few substring
searches: `suspicious`. Only what fails it is looked at by the patterns. A bare run of hex digits is no secret: trace
ids look like that.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
SHORTEST_SECRET: Final = 3
"""A shorter "secret" would black out half of every text."""
SHORTEST_ENCODED: Final = 6
"""Of a shorter secret, base64 leaves too few characters to tell it from other text."""
LONGEST_TEXT: Final = 8_192
"""Characters of a text that leave the process when it may hold something to hide: its beginning and its end."""
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
_TOKEN: Final = re.compile(r"[^\s\"'<>]+")
"""What may be an address: one run without blanks, quotes and angle brackets."""


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
        """The text with everything masked, cut if it is long; the same object when there is nothing to mask."""
        if not self.suspicious(text):
            return text
        clean = text
        for secret in self._secrets:
            if secret in clean:
                clean = clean.replace(secret, MASK)
        clean = cut(clean)
        if "?" in clean:
            clean = _TOKEN.sub(_masked_address, clean)
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
    """A secret as it is, and as it stands inside JSON, an address, a Python literal and base64."""
    if len(secret) < SHORTEST_SECRET:
        return ()
    plain = {
        secret,
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        repr(secret)[1:-1],
    }
    return plain | set(_encoded(secret)) if len(secret) >= SHORTEST_ENCODED else plain


def _encoded(secret: str) -> Iterator[str]:
    """The secret inside a longer text that is base64: three characters become four, so it can stand in three ways.

    Only the characters that depend on nothing but the secret are taken, whatever stands before and after it.
    """
    data = secret.encode()
    for shift in range(3):
        text = b64encode(bytes(shift) + data).decode().rstrip("=")
        first, last = -(-shift * 8 // 6), (shift + len(data)) * 8 // 6
        yield text[first:last]
        yield text[first:last].replace("+", "-").replace("/", "_")


def cut(text: str) -> str:
    """The text; of one of more than `LONGEST_TEXT` characters its beginning and end, and how much is missing."""
    if len(text) <= LONGEST_TEXT:
        return text
    half = LONGEST_TEXT // 2
    head, tail = text[:half], text[-half:]
    # Half a word could be half of what a pattern knows only as a whole.
    head, tail = head[: max(head.rfind(" "), head.rfind("\n")) + 1], tail.partition("\n")[2] or tail.partition(" ")[2]
    return f"{head}[... {len(text) - len(head) - len(tail)} characters cut ...]{tail}"


def _masked_address(match: re.Match[str]) -> str:
    """The token with the values of its query masked, if what stands before the question mark looks like an address."""
    if "?" not in match[0]:
        return match[0]
    parts = match[0].split("#")
    for place, part in enumerate(parts):
        path, sign, query = part.partition("?")
        if sign and query and _is_address(path, begins=place == 0):
            parts[place] = f"{path}?{_masked_query(query)}"
    return "#".join(parts)


def _is_address(path: str, *, begins: bool) -> bool:
    return path.find("://") > 0 or (begins and path.startswith("/")) or "=/" in path or "(/" in path


def _masked_query(query: str) -> str:
    parts = (part.partition("=") for part in query.split("&"))
    return "&".join(
        f"{name}{sign}{value if name in HARMLESS_PARAMETERS or value in {'', MASK} else MASK}"
        for name, sign, value in parts
    )
