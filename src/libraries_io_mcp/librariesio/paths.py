"""Names into request paths and back. Each name is one segment, whatever it holds; nothing else builds a path."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

from libraries_io_mcp.errors import InvalidRequestError, NotFoundError

MAX_NAME_BYTES: Final = 512
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_PLATFORM: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NO_PLATFORM: Final = frozenset(
    {
        "bitbucket", "bower-search", "check", "github", "gitlab", "maintenance", "platforms", "projects", "repository",
        "search", "subscription", "subscriptions", "versions",
    }
)  # fmt: skip
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def encode_segment(name: str, *, argument: str = "name") -> str:
    """One path segment for `name`: everything but letters, digits, `-`, `_` and `.` becomes percent escapes of UTF-8.

    `~` and `!` are escaped too, since the service's version pattern has neither.

    Raises:
        InvalidRequestError: empty, `.` or `..`, over 512 bytes, control characters, or not encodable as UTF-8.
    """
    fault = fault_of_name(name)
    if fault is not None:
        raise InvalidRequestError(f"The argument `{argument}` {fault}.")
    return quote(name.encode(), safe="").replace("~", "%7E")


def fault_of_name(name: str) -> str | None:
    """Why no request can carry a name: "is empty", "holds control characters" and so on; `None` if one can."""
    if len(name) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes"
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is not text"
    if len(raw) > MAX_NAME_BYTES:
        return f"is longer than {MAX_NAME_BYTES} bytes"
    if not name.strip():
        return "is empty"
    if name in {".", ".."}:
        return "can't be a dot or two dots"
    return "holds control characters" if _CONTROL.search(name) else None


def expand(template: str, names: Mapping[str, str], *, escape_dots: bool = False) -> str:
    """The path of a template such as `/{platform}/{name}`.

    Raises:
        InvalidRequestError: a name can't be a path segment.
        NotFoundError: the platform can't be one; the service would take the path for that of something else.
    """
    if "platform" in names and not is_platform(names["platform"]):
        encode_segment(names["platform"], argument="platform")
        raise NotFoundError("Libraries.io knows no platform of that name.", next_step="Look it up with list_platforms.")

    def segment(match: re.Match[str]) -> str:
        encoded = encode_segment(names[match[1]], argument=match[1])
        return encoded.replace(".", "%2E") if escape_dots else encoded

    return _PLACEHOLDER.sub(segment, template)


def is_platform(name: str) -> bool:
    """Whether `name` has the form of a platform and is none of the service's other first path segments."""
    return bool(_PLATFORM.fullmatch(name)) and name.lower() not in _NO_PLATFORM


def names_in(template: str, path: str) -> dict[str, str] | None:
    """The names in a path that `expand` or the service made, or `None` when the path does not fit the template."""
    wanted, given = template.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    names: dict[str, str] = {}
    for pattern, segment in zip(wanted, given, strict=True):
        placeholder = _PLACEHOLDER.fullmatch(pattern)
        if placeholder:
            names[placeholder[1]] = unquote(segment)
        elif pattern != segment:
            return None
    return names
