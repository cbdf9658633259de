"""What is behind a 404 about a version: the service does not tell an unknown package from an unknown version or day."""

from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from libraries_io_mcp.answer.arguments import missing_data_note
from libraries_io_mcp.answer.model import short
from libraries_io_mcp.answer.spelling import NEXT_STEP, SPARE_REQUESTS
from libraries_io_mcp.errors import CallError, NotFoundError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import Project


@dataclass(frozen=True, slots=True)
class AskedVersion:
    """What was asked about. Without a version it is the newest stable one, of those published before the day."""

    platform: str
    name: str
    version: str | None = None
    before: date | None = None

    def __str__(self) -> str:
        version = f" {short(self.version, 100)}" if self.version else ""
        return f"{self.platform}/{short(self.name, 200)}{version}{f' as of {self.before}' if self.before else ''}"


async def unknown_version(client: LibrariesIOClient, error: NotFoundError, asked: AskedVersion) -> NotFoundError:
    """The error in words that say no more than is known: at most one question about the package is put for it."""
    none_held = missing_data_note(asked.platform, versions=True)
    if none_held is not None:
        return _found(none_held, "get_package_info shows what is known of it.")
    if client.quota().remaining < SPARE_REQUESTS:
        return _unclear(error, asked)
    try:
        project = (await client.project(asked.platform, asked.name)).data
    except NotFoundError:
        return _found(
            f"Libraries.io knows no package {asked.name[:200]!r} on {asked.platform}.",
            NEXT_STEP,
        )
    except CallError:
        return _unclear(error, asked)
    return _of_known(project, asked)


def _of_known(project: Project, asked: AskedVersion) -> NotFoundError:
    package = f"{project.platform}/{project.name}"
    versions = project.versions or ()
    numbers = [version.number for version in versions]
    if not numbers:
        return _found(f"Libraries.io knows {package}, but no version of it.", "get_package_info shows what is known.")
    if asked.version is not None and asked.version not in numbers:
        return _found(
            f"Libraries.io knows {package}, but not its version {asked.version!r}.",
            "get_package_versions lists those it knows.",
            tuple(get_close_matches(asked.version, numbers, n=3)),
        )
    if asked.before is not None:
        days = [version.published_at.date() for version in versions if version.published_at]
        first = f"; its first known one is of {min(days)}" if days and asked.version is None else ""
        return _found(
            f"Libraries.io has nothing of {package}{f' {asked.version}' if asked.version else ''} "
            f"from before {asked.before}{first}.",
            "Ask for a later date, or leave it out.",
        )
    if asked.version is None:
        return _found(
            f"Libraries.io knows no stable version of {package}.",
            "Name a version. get_package_versions lists those it knows.",
        )
    return _found(f"Libraries.io knows {package} {asked.version}, but not what it depends on.", "Try another version.")


def _unclear(error: NotFoundError, asked: AskedVersion) -> NotFoundError:
    return _found(f"Libraries.io does not know {asked}: the package, the version or the day.", error.next_step)


def _found(message: str, next_step: str, suggestions: tuple[str, ...] = ()) -> NotFoundError:
    """Without a status: it is our own finding, and nothing more is asked about it."""
    return NotFoundError(message, next_step=next_step, suggestions=suggestions)
