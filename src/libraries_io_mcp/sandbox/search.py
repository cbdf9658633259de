"""`GET /search`: words, filters, order and limits as the service has them."""

import re
from collections.abc import Callable, Iterable, Mapping

from starlette.responses import Response

from libraries_io_mcp.sandbox.call import Call
from libraries_io_mcp.sandbox.catalogue import Catalogue, Package
from libraries_io_mcp.sandbox.paging import DEFAULT_PER_PAGE, paged, positive
from libraries_io_mcp.sandbox.popularity import dependent_repositories, dependents, repository_numbers
from libraries_io_mcp.sandbox.projects import project
from libraries_io_mcp.sandbox.replies import NotFoundError, ServiceError
from libraries_io_mcp.sandbox.sourcerank import rank

LARGEST_PER_PAGE = 100
LAST_PAGE = 300
DEEPEST_RESULT = 10_000
MOST_SLIPS = 2
SHORTEST_FUZZY = 6
"""Letters of the shortest word that also finds names a slip or two away, as the service's search engine has it."""
UNLISTED_STATUSES = frozenset({"Hidden", "Removed"})

LANGUAGE_ALIASES = {"js": "javascript", "ts": "typescript", "golang": "go", "csharp": "c#", "rb": "ruby", "rs": "rust"}
# Licences that the service knows without a package of the catalogue having one: id and name, lower case.
OTHER_LICENCES = {"agpl-3.0": "agpl-3.0", "gpl-2.0": "gpl-2.0", "gpl-3.0": "gpl-3.0", "unlicense": "unlicense"}
LICENCE_NAMES = {
    "mit license": "mit",
    "apache license 2.0": "apache-2.0",
    "isc license": "isc",
    "mozilla public license 2.0": "mpl-2.0",
}

SortKey = Callable[[Package], float]


async def search(call: Call) -> Response:
    """One page of the packages that match.

    Raises:
        NotFoundError: `page` or `per_page` is above its limit.
        ServiceError: the page lies deeper than the search engine looks.
    """
    page, per_page = positive(call.query("page"), 1), positive(call.query("per_page"), DEFAULT_PER_PAGE)
    if per_page > LARGEST_PER_PAGE or page > LAST_PAGE:
        raise NotFoundError
    if page * per_page > DEEPEST_RESULT:
        raise ServiceError
    versions = call.query("include_versions") in (None, "true")
    found = _ordered(call, _filtered(call, _matching(call)))
    return paged(call, found, lambda package: project(call.catalogue, package, call.now(), versions=versions))


def _matching(call: Call) -> Iterable[Package]:
    words = (call.query("q") or "").lower().split()
    for package in call.catalogue.packages:
        if package.status not in UNLISTED_STATUSES and all(_matches(word, package) for word in words):
            yield package


def _matches(word: str, package: Package) -> bool:
    """Whether a word is in what search looks at, or is the package's name but for a slip or two."""
    if word in package.searched_text:
        return True
    name = package.name.lower()
    fuzzy = len(word) >= SHORTEST_FUZZY and abs(len(word) - len(name)) <= MOST_SLIPS
    return fuzzy and slips(word, name) <= MOST_SLIPS


def slips(one: str, other: str) -> int:
    """How many letters were added, left out, changed or swapped with their neighbour between two words."""
    above, before = list(range(len(other) + 1)), [0] * (len(other) + 1)
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, expected in enumerate(other, 1):
            least = min(above[column] + 1, line[-1] + 1, above[column - 1] + (letter != expected))
            if row > 1 < column and letter == other[column - 2] and one[row - 2] == expected:
                least = min(least, before[column - 2] + 1)
            line.append(least)
        above, before = line, above
    return above[-1]


def _filtered(call: Call, packages: Iterable[Package]) -> list[Package]:
    platforms, languages = _values(call, "platforms"), _values(call, "languages")
    licences, keywords = _known_licences(call), _values(call, "keywords")
    return [
        package
        for package in packages
        if (platforms is None or package.platform.lower() in _lower(platforms))
        and (languages is None or (package.language or "").lower() in _languages(languages))
        and (licences is None or not licences.isdisjoint(_lower(package.spdx)))
        and (keywords is None or not set(keywords).isdisjoint(package.keywords))
    ]


def _values(call: Call, name: str) -> list[str] | None:
    """The values of a comma list; None when the filter is not set."""
    values = [part.strip() for part in (call.query(name) or "").split(",") if part.strip()]
    return values or None


def _lower(values: Iterable[str]) -> set[str]:
    return {value.lower() for value in values}


def _languages(values: Iterable[str]) -> set[str]:
    return {LANGUAGE_ALIASES.get(value, value) for value in _lower(values)}


def _known_licences(call: Call) -> set[str] | None:
    """Licences that the service knows; an unknown one is dropped, so that the list is not filtered by it."""
    known = {spdx.lower() for package in call.catalogue.packages for spdx in package.spdx} | set(OTHER_LICENCES)
    asked = {LICENCE_NAMES.get(value, value) for value in _lower(_values(call, "licenses") or [])}
    return (asked & known) or None


def _ordered(call: Call, packages: list[Package]) -> list[Package]:
    keys = _sort_keys(call.catalogue, call.now())
    chosen = keys.get(call.query("sort") or "")
    if chosen is None:
        return sorted(packages, key=_relevance(call), reverse=True)
    return sorted(packages, key=chosen, reverse=call.query("order") != "asc")


def _sort_keys(catalogue: Catalogue, now: float) -> Mapping[str, SortKey]:
    def of_repository(package: Package, field: str) -> float:
        return getattr(repository_numbers(catalogue, package.repository), field) if package.repository else 0

    return {
        "rank": lambda package: rank(catalogue, package, now),
        "stars": lambda package: of_repository(package, "stars"),
        "dependents_count": dependents,
        "dependent_repos_count": dependent_repositories,
        "latest_release_published_at": lambda package: package.latest.published_at if package.latest else 0.0,
        "contributions_count": lambda package: of_repository(package, "contributors"),
        "created_at": lambda package: min((release.published_at for release in package.releases), default=0.0),
    }


def _relevance(call: Call) -> Callable[[Package], tuple[float, float]]:
    """How well the words fit the name, weighted by rank squared; then stars."""
    text = (call.query("q") or "").lower().strip()
    stars = _sort_keys(call.catalogue, call.now())["stars"]

    def score(package: Package) -> tuple[float, float]:
        name = package.name.lower()
        fit = 8 if text and name == text else 3 if text and re.search(rf"\b{re.escape(text)}\b", name) else 1
        return fit * rank(call.catalogue, package, call.now()) ** 2, stars(package)

    return score
