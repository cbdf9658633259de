"""The table of routes: matched against the path as it was sent, so that `%2F` stays inside its segment."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from libraries_io_mcp.sandbox.call import Handler

# What each variable of a path may hold, before it is decoded.
_PATTERNS: Mapping[str, str] = {
    "platform": r"[A-Za-z0-9_-]+",
    "name": r"[^/]+",
    "number": r"[A-Za-z0-9_.+%-]+",
    "host": r"(?i:github|gitlab|bitbucket)",
    "owner": r"[^/.]+",
    "login": r"[^/.]+",
    "repository": r"[^/]+",
}


@dataclass(frozen=True)
class Route:
    """One path of the API. `template` has its variables in braces, `GET` includes `HEAD`.

    With `dot_ends_name` the last variable stops at a dot and what follows is a format, as Rails has it by default.
    """

    method: str
    template: str
    handler: Handler
    dot_ends_name: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", self.template)
        # re.split alternates literal text and variable names.
        texts = [self._group(part) if index % 2 else re.escape(part) for index, part in enumerate(parts)]
        format_ = r"(?:\.[^/]+)?" if self.dot_ends_name else ""
        return re.compile(f"{''.join(texts)}{format_}/?")

    def _group(self, variable: str) -> str:
        pattern = "[^/.]+" if self.dot_ends_name else _PATTERNS[variable]
        return f"(?P<{variable}>{pattern})"

    def match(self, method: str, path: str) -> Mapping[str, str] | None:
        """The decoded variables, or None if the route is another."""
        if ("GET" if method == "HEAD" else method) != self.method:
            return None
        found = self.pattern.fullmatch(path)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


@dataclass(frozen=True)
class Match:
    """A route and the variables of the path that led to it."""

    route: Route
    parameters: Mapping[str, str]


def find_route(routes: Iterable[Route], method: str, path: str) -> Match | None:
    """The first route that fits, in the order of the table."""
    for route in routes:
        parameters = route.match(method, path)
        if parameters is not None:
            return Match(route, parameters)
    return None
