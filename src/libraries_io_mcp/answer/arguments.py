"""The parameters that many tools share, as they are described to an agent, and how a platform's name is resolved."""

from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from libraries_io_mcp.errors import CallError, NotFoundError
from libraries_io_mcp.librariesio.arguments import Host
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.paths import fault_of_name
from libraries_io_mcp.librariesio.platforms import STORED, nearest_platforms, stored_platform


def _askable(name: str) -> str:
    fault = fault_of_name(name)
    if fault is not None:
        raise PydanticCustomError("name", "{fault}", {"fault": fault})
    return name


Trimmed = Annotated[str, StringConstraints(strip_whitespace=True)]
AskedName = Annotated[Trimmed, AfterValidator(_askable), Field(json_schema_extra={"minLength": 1})]
"""A name that a request can carry, without blanks around it: what can't be one is refused before it costs anything."""
PlatformName = Annotated[
    AskedName,
    Field(max_length=100, description="npm, pypi, cargo, maven, go ...; any case or alias (pip)."),
]
PackageName = Annotated[
    AskedName,
    Field(max_length=500, description="As its platform writes it: @a/b, junit:junit, github.com/a/b."),
]
VersionNumber = Annotated[Trimmed, Field(max_length=200, description="Exact; the newest stable one if left out.")]
Kind = Annotated[
    Trimmed,
    Field(
        max_length=50,
        description="Only this kind, as the platform words it: runtime, dev ...",
    ),
]
PerPage = Annotated[int, Field(ge=1, le=100, description="Most per answer.")]
HostName = Annotated[
    Host,
    BeforeValidator(lambda value: value.strip().lower() if isinstance(value, str) else value),
    Field(description="Where the repository is."),
]

NO_VERSIONS: Final = frozenset(
    {"Bower", "Carthage", "SwiftPM", "Julia", "Racket", "Nimble", "PureScript", "Alcatraz", "Inqlude"}
)
"""Platforms of whose packages Libraries.io holds no versions, so no dependencies either."""
NO_DEPENDENCIES: Final = NO_VERSIONS | {"CocoaPods", "Clojars", "Hackage", "Meteor"}
"""Platforms of whose packages Libraries.io holds no dependencies."""


async def find_platform(client: LibrariesIOClient, platform: str) -> str:
    """The stored name of a platform. Costs a request only for names that are in no list of ours.

    Raises:
        NotFoundError: neither the known list nor Libraries.io has it; with the nearest names.
    """
    stored = stored_platform(platform)
    if stored is not None:
        return stored
    try:
        listed = tuple(entry.name for entry in (await client.platforms()).data)
    except CallError:
        # The list could not be had. It is only asked for platforms newer than our own list, so ours decides.
        listed = STORED
    for name in listed:
        if name.lower() == platform.strip().lower():
            return name
    nearest = nearest_platforms(platform, listed)
    raise NotFoundError(
        f"There is no platform {platform[:100]!r} at Libraries.io.",
        next_step="Use one of the suggested platforms." if nearest else "list_platforms names them all.",
        suggestions=nearest,
    )


def missing_data_note(platform: str, *, versions: bool = False) -> str | None:
    """Why there is nothing about a platform's packages, when Libraries.io never has it."""
    if platform in (NO_VERSIONS if versions else NO_DEPENDENCIES):
        return f"Libraries.io holds no {'versions' if versions else 'dependencies'} for {platform}: unknown, not none."
    return None
