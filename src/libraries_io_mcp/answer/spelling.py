"""Close matches for a package that is not found: one extra search, where a key is set and the quota has room."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any, Final

from libraries_io_mcp.errors import CallError, NotFoundError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.platforms import stored_platform

SPARE_REQUESTS: Final = 5
"""So many requests must be left in the window for a search that nobody asked for."""
CLOSE_ENOUGH: Final = 0.5
MOST_SUGGESTIONS: Final = 3


async def with_suggestions(
    error: NotFoundError, client: LibrariesIOClient, arguments: Mapping[str, Any]
) -> NotFoundError:
    """The error with close names, when it is about a package and a search may be spent on it."""
    platform, name = arguments.get("platform"), arguments.get("name")
    quota = client.quota()
    stored = stored_platform(platform) if isinstance(platform, str) else None
    # Without a status it is our own finding, and says already what is missing.
    if error.suggestions or error.status_code is None or stored is None or not isinstance(name, str):
        return error
    if not quota.key_present or quota.remaining < SPARE_REQUESTS or not (words := _words(name)):
        return error
    try:
        found = (await client.search(words, platforms=(stored,), per_page=30)).data
    except CallError:
        return error
    names = tuple(project.name for project in found)
    if name in names:
        return NotFoundError(
            f"Libraries.io knows {stored}/{name}, but not {_asked(arguments)}.",
            next_step="Look the version up with get_package_versions. (One extra search was made to find this out.)",
            status_code=error.status_code,
        )
    return NotFoundError(
        f"Libraries.io knows no package {name[:200]!r} on {stored}.",
        next_step=f"{error.next_step} (One extra search was made for close names.)",
        status_code=error.status_code,
        suggestions=_closest(name, names),
    )


def _asked(arguments: Mapping[str, Any]) -> str:
    version = arguments.get("version")
    return f"its version {version[:200]!r}" if isinstance(version, str) else "what was asked of it"


def _words(name: str) -> str:
    """What to search for: the words of a name, without marks that mean something else to a search engine."""
    return " ".join(re.findall(r"\w+", name))[:100]


def _closest(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    def likeness(other: str) -> float:
        return SequenceMatcher(None, name.lower(), other.lower()).ratio()

    close = sorted((other for other in names if likeness(other) >= CLOSE_ENOUGH), key=likeness, reverse=True)
    return tuple(close[:MOST_SUGGESTIONS])
