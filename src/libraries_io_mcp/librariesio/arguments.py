"""Checks arguments before they cost a request, and writes them as the service reads them."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

from libraries_io_mcp.errors import InvalidRequestError

Sort = Literal[
    "rank",
    "stars",
    "dependents_count",
    "dependent_repos_count",
    "latest_release_published_at",
    "contributions_count",
    "created_at",
]
Order = Literal["asc", "desc"]
Host = Literal["github", "gitlab", "bitbucket"]

LARGEST_PAGE: Final = 100
DEEPEST_PAGE: Final = 300
DEEPEST_RESULT: Final = 10_000
LARGEST_BULK: Final = 1_000


def page_parameters(page: int, per_page: int) -> dict[str, str]:
    """The query of one page of a list.

    Raises:
        InvalidRequestError: page below 1, or per_page outside 1 to 100.
    """
    if not 1 <= per_page <= LARGEST_PAGE:
        raise InvalidRequestError(f"The argument `per_page` must be from 1 to {LARGEST_PAGE}.")
    if not 1 <= page <= 1_000_000:
        raise InvalidRequestError("The argument `page` must be 1 or more.")
    return {"page": str(page), "per_page": str(per_page)}


def shallow_page_parameters(page: int, per_page: int) -> dict[str, str]:
    """The same for lists that end at page 300, and at 10,000 results.

    Raises:
        InvalidRequestError: beyond that; the service would answer 404 or 500.
    """
    if page > DEEPEST_PAGE or page * per_page > DEEPEST_RESULT:
        raise InvalidRequestError(
            f"Libraries.io shows only the first {DEEPEST_RESULT} matches and {DEEPEST_PAGE} pages.",
            next_step="Narrow the question by a filter, or sort it so that what you look for comes first.",
        )
    return page_parameters(page, per_page)


def list_parameters(**lists: Sequence[str]) -> dict[str, str]:
    """Comma lists; empty ones are left out.

    Raises:
        InvalidRequestError: a value holds a comma.
    """
    for name, values in lists.items():
        if any("," in value for value in values):
            raise InvalidRequestError(f"A value of the argument `{name}` can't hold a comma.")
    return {name: ",".join(values) for name, values in lists.items() if values}


def given(**parameters: str | None) -> dict[str, str]:
    """The parameters that have a value."""
    return {name: value for name, value in parameters.items() if value}


def host_names(host: str, **names: str) -> dict[str, str]:
    """Path names below a repository host.

    Raises:
        InvalidRequestError: not one of the three hosts, or a dot in an owner's name, which the service can't route.
    """
    if host.lower() not in get_args(Host):
        raise InvalidRequestError("The argument `host` must be github, gitlab or bitbucket.")
    for argument in ("owner", "login"):
        if "." in names.get(argument, ""):
            raise InvalidRequestError(f"The argument `{argument}` can't hold a dot.")
    return {"host": host.lower(), **names}


def bulk_size(count: int) -> None:
    """Refuse lists that are empty or over 1,000 packages.

    Raises:
        InvalidRequestError: they are.
    """
    if not 1 <= count <= LARGEST_BULK:
        raise InvalidRequestError(f"Ask for 1 to {LARGEST_BULK} packages at once.")
