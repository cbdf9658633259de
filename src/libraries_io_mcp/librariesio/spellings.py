"""How Libraries.io spells the names that it was asked for: learned once, so that a redirect is paid once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from cachetools import LRUCache

from libraries_io_mcp.librariesio.ask import Ask
from libraries_io_mcp.librariesio.paths import names_in

MOST: Final = 5_000
KEEP_SECONDS: Final = 24 * 3600.0
"""A package that is renamed is asked for under its old name for so long; the service then redirects again."""

T = TypeVar("T")


class Spellings:
    """The stored names of packages by what they were asked for; the one that was used longest ago goes first."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        # With the time until which it holds. TTLCache would look through them at each question.
        self._stored: LRUCache[tuple[str, str], tuple[str, float]] = LRUCache(MOST)

    def stored(self, ask: Ask[T]) -> Ask[T]:
        """The question by the name that the service has, as far as it is known; else the question as it is."""
        if not self._stored or not _is_about_a_package(ask):
            return ask
        name, until = self._stored.get(_place(ask), ("", 0.0))
        return _renamed(ask, name) if self._monotonic() < until else ask

    def learn(self, ask: Ask[T], path: str) -> Ask[T] | None:
        """The service has answered by `path`: the question by the name in it, or `None` if it was asked by that name.

        Only a redirect counts as a spelling; an answer that merely names another package does not.
        """
        if not _is_about_a_package(ask) or path == ask.path:
            return None
        name = (names_in(ask.endpoint.template, path) or {}).get("name", "")
        if not name or name == ask.names["name"]:
            return None
        renamed = _renamed(ask, name)
        self._stored[_place(ask)] = name, self._monotonic() + KEEP_SECONDS
        return renamed


def _is_about_a_package(ask: Ask[Any]) -> bool:
    return "platform" in ask.names and "name" in ask.names


def _place(ask: Ask[Any]) -> tuple[str, str]:
    # The service takes platforms in any case.
    return ask.names["platform"].lower(), ask.names["name"]


def _renamed(ask: Ask[T], name: str) -> Ask[T]:
    return replace(ask, names={**ask.names, "name": name})
