"""What a bulk answer says about single packages: the same as the endpoint for one would, so it is kept for that too."""

from collections.abc import Iterator, Sequence
from typing import Final

from libraries_io_mcp.errors import CallError
from libraries_io_mcp.librariesio.ask import Ask
from libraries_io_mcp.librariesio.endpoints import DEPENDENCIES
from libraries_io_mcp.librariesio.models import BulkDependencies, BulkEntry, VersionDependencies
from libraries_io_mcp.librariesio.reply import Reply

DEPENDENCY_BYTES: Final = 1_500
"""About what one dependency takes in memory."""

Package = tuple[str, str, str]
"""Platform, name and version."""
Single = tuple[Ask[VersionDependencies], Reply[VersionDependencies], int]
"""The question about one package, its answer, and about how many bytes of memory that is."""


def dependencies_ask(platform: str, name: str, version: str) -> Ask[VersionDependencies]:
    """The question for the dependencies of one version."""
    names = {"platform": platform, "name": name, "version": version}
    return Ask(DEPENDENCIES, names, {"subset": "minimum"})


def singles(packages: Sequence[Package], reply: Reply[tuple[BulkEntry | None, ...]]) -> Iterator[Single]:
    """The answers about single packages in a bulk answer, without those that are unknown or not fetched yet."""
    for package, entry in zip(packages, reply.data, strict=False):
        data = _whole(entry.body) if entry is not None and entry.status == 200 else None
        ask = dependencies_ask(*package)
        if data is None or not _can_be_asked(ask):
            continue
        single = Reply(
            data=data,
            endpoint=DEPENDENCIES.template,
            fetched_at=reply.fetched_at,
            canonical_platform=data.platform if data.platform != package[0] else None,
            canonical_name=data.name if data.name != package[1] else None,
        )
        yield ask, single, DEPENDENCY_BYTES * (1 + len(data.dependencies))


def _whole(body: BulkDependencies) -> VersionDependencies | None:
    if body.name is None or body.platform is None or body.dependencies_for_version is None or body.dependencies is None:
        return None
    return VersionDependencies.model_construct(
        name=body.name,
        platform=body.platform,
        dependencies_for_version=body.dependencies_for_version,
        dependencies=body.dependencies,
    )


def _can_be_asked(ask: Ask[VersionDependencies]) -> bool:
    try:
        return bool(ask.identity)
    except CallError:
        return False
