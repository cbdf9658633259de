"""What is said of a name that Libraries.io does not know; of a package with close names, found by one search."""

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
NEXT_STEP: Final = "Check the spelling. search_packages finds names."


async def said_of(error: NotFoundError, client: LibrariesIOClient, arguments: Mapping[str, Any]) -> NotFoundError:
    """The error of the service in words about what was asked for: a package, a repository or a login."""
    # Without a status it is our own finding, and says already what is missing.
    if error.suggestions or error.status_code is None:
        return error
    match {name: value for name, value in arguments.items() if isinstance(value, str)}:
        case {"host": host, "owner": owner, "name": name}:
            said = f"Libraries.io knows no repository {owner[:100]}/{name[:200]} on {host}."
            return NotFoundError(said, next_step="Check owner and name. Private repositories are not known to it.")
        case {"host": host, "login": login}:
            said = f"Libraries.io knows nobody called {login[:100]!r} on {host}."
            return NotFoundError(said, next_step="Check the login. It is the name in the address of the profile.")
        case {"platform": platform, "name": name}:
            return await _with_close_names(error, client, platform, name)
    return error


async def _with_close_names(error: NotFoundError, client: LibrariesIOClient, platform: str, name: str) -> NotFoundError:
    """With close names, when a search may be spent on them."""
    stored = stored_platform(platform) or platform
    said = f"Libraries.io knows no package {name[:200]!r} on {stored}."
    quota = client.quota()
    if not quota.key_present or quota.remaining < SPARE_REQUESTS or not (words := _words(name)):
        return NotFoundError(said, next_step=NEXT_STEP, status_code=error.status_code)
    try:
        found = (await client.search(words, platforms=(stored,), per_page=30)).data
    except CallError:
        return NotFoundError(said, next_step=NEXT_STEP, status_code=error.status_code)
    return NotFoundError(
        said,
        next_step=f"{NEXT_STEP} (One extra search was made for close names.)",
        status_code=error.status_code,
        suggestions=_closest(name, tuple(project.name for project in found if project.name != name)),
    )


def _words(name: str) -> str:
    """What to search for: the words of a name, without marks that mean something else to a search engine."""
    return " ".join(re.findall(r"\w+", name))[:100]


def _closest(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    def likeness(other: str) -> float:
        return SequenceMatcher(None, name.lower(), other.lower()).ratio()

    close = sorted((other for other in names if likeness(other) >= CLOSE_ENOUGH), key=likeness, reverse=True)
    return tuple(close[:MOST_SUGGESTIONS])
