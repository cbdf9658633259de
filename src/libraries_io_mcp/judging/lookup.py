"""Asks for many packages at once by `POST /check`, in pieces, and says of every single one what came of it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from libraries_io_mcp.errors import (
    AuthenticationError,
    CallError,
    ForbiddenError,
    NotFoundError,
    ReplyTooLargeError,
    UpstreamFaultError,
    UpstreamTimeoutError,
)
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import CheckedProject
from libraries_io_mcp.librariesio.reply import Reply

PIECE: Final = 100
"""Packages in one request. Each comes back with all its versions, 1 to 300 KB of JSON, and the service must be done
within 60 seconds; the client's limit of a reply is 10 MB. A piece that proves too large is halved."""
TOO_SLOW: Final = (UpstreamTimeoutError, UpstreamFaultError)
"""What a piece that takes the service too long ends in; then it is halved once. A service that is down ends so too."""
NO_LEAVE: Final = (AuthenticationError, ForbiddenError)

Wanted = tuple[str, str]
"""Stored platform and name of a package."""
Told = Callable[[int], None]
"""Told how many more packages are done."""


IDENTITY: Final = frozenset({"name", "platform", "[]"})
"""Fields without which an entry of a reply is lost, and an entry that could not be read at all."""


@dataclass(slots=True)
class Found:
    """What came of a lookup.

    Attributes:
        projects: the packages that Libraries.io knows, by platform and name as they were asked for.
        missing: those that it does not know.
        unasked: those about which it could not be asked, with the reason.
        replies: the answers, for their provenance.
    """

    projects: dict[Wanted, CheckedProject] = field(default_factory=dict)
    missing: list[Wanted] = field(default_factory=list)
    unasked: dict[Wanted, str] = field(default_factory=dict)
    replies: list[Reply[Any]] = field(default_factory=list)

    def take(self, piece: Sequence[Wanted], reply: Reply[tuple[CheckedProject, ...]]) -> None:
        """Note the answer about one piece."""
        by_name = {(project.platform.lower(), project.name): project for project in reply.data}
        # The name comes back as it was asked; should it not, calling the package missing would be the worse mistake.
        any_case = {(platform, name.lower()): project for (platform, name), project in by_name.items()}
        self.replies.append(reply)
        for platform, name in piece:
            project = by_name.get((platform.lower(), name)) or any_case.get((platform.lower(), name.lower()))
            if project is None:
                if reply.deviations.keys() & IDENTITY:
                    # It may be the package whose entry could not be read: not being told is not being unknown.
                    self.unasked[platform, name] = "Libraries.io's reply could not be read in part, perhaps about it"
                else:
                    self.missing.append((platform, name))
            else:
                self.projects[platform, name] = project

    def as_of(self) -> datetime:
        """When the newest of the answers was given; ages are reckoned to it."""
        return max(reply.fetched_at for reply in self.replies)

    def give_up(self, piece: Iterable[Wanted], reason: str) -> None:
        """Note that nothing could be learnt about one piece."""
        self.unasked.update(dict.fromkeys(piece, reason))


async def look_up(client: LibrariesIOClient, wanted: Iterable[Wanted], told: Told | None = None) -> Found:
    """Look all of them up: one request for each 100, of which the first goes alone.

    A piece that fails is noted in `unasked` and the others go on.

    Raises:
        CallError: the key is missing or refused, or nothing at all could be learnt, or `wanted` is empty.
    """
    packages = list(dict.fromkeys(wanted))
    pieces = [packages[start : start + PIECE] for start in range(0, len(packages), PIECE)]
    asking = _Asking(client, told or (lambda _count: None))
    # If the key is refused, one request shows it.
    for piece in pieces[:1]:
        await asking.ask(piece)
        if isinstance(asking.failure, NO_LEAVE):
            raise asking.failure
    async with asyncio.TaskGroup() as tasks:
        for piece in pieces[1:]:
            tasks.create_task(asking.ask(piece))
    if not asking.found.replies:
        raise asking.failure or NotFoundError("None of these platforms is known to Libraries.io.")
    return asking.found


class _Asking:
    """One lookup on its way."""

    def __init__(self, client: LibrariesIOClient, told: Told) -> None:
        self.found = Found()
        self.failure: CallError | None = None
        self._client = client
        self._told = told

    async def ask(self, piece: Sequence[Wanted]) -> None:
        """One piece; in smaller ones when the service finds it too large or does not know a platform."""
        try:
            self.found.take(piece, await self._client.check(piece))
        except NotFoundError:
            await self._by_platform(piece)
            return
        except CallError as error:
            smaller = PIECE // 2 if isinstance(error, TOO_SLOW) else 1
            if isinstance(error, (ReplyTooLargeError, *TOO_SLOW)) and len(piece) > smaller:
                await self.ask(piece[: len(piece) // 2])
                await self.ask(piece[len(piece) // 2 :])
                return
            self._give_up(piece, error)
        self._told(len(piece))

    async def _by_platform(self, piece: Sequence[Wanted]) -> None:
        """One platform that the service does not know makes it refuse the whole piece; so each goes alone."""
        platforms = list(dict.fromkeys(platform for platform, _ in piece))
        if len(platforms) == 1:
            self.found.give_up(piece, f"Libraries.io does not know the platform {platforms[0]}")
            self._told(len(piece))
            return
        for platform in platforms:
            await self.ask([wanted for wanted in piece if wanted[0] == platform])

    def _give_up(self, piece: Sequence[Wanted], error: CallError) -> None:
        self.failure = self.failure or error
        self.found.give_up(piece, f"Libraries.io could not be asked ({error.error_type}): {error}")
