"""A tool that says how healthy a package looks: signals with their evidence, and what nobody knows."""

import re
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

from libraries_io_mcp.answer import Provenance, SourcedAnswer, Tools
from libraries_io_mcp.answer.arguments import PackageName, PlatformName, find_platform
from libraries_io_mcp.answer.model import lines
from libraries_io_mcp.errors import CallError
from libraries_io_mcp.judging.signals import VULNERABILITIES, Facts, HealthSignal, counted, read_signals
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import Project
from libraries_io_mcp.librariesio.reply import Reply
from libraries_io_mcp.librariesio.repository_models import Repository

GUIDE = "Judge: check_package_health for signs of maintenance, with evidence and what is unknown."
T = TypeVar("T")
_REPOSITORY: Final = re.compile(
    r"^(?:git\+)?(?:https?|git|ssh)://(?:www\.|git@)?(github|gitlab|bitbucket)\.(?:com|org)/([\w-]+)/([\w.-]+?)(?:\.git)?"
    r"(?:[/#?].*)?$",
    re.IGNORECASE,
)


class HealthAnswer(SourcedAnswer):
    """How healthy a package looks."""

    platform: str
    name: str
    good: int
    concerns: int
    signals: tuple[HealthSignal, ...]
    unknown: tuple[str, ...]
    vulnerabilities: str
    notes: tuple[str, ...]

    def text(self) -> str:
        """The counts, one line a signal, and what is not known."""
        head = (
            f"{self.platform}/{self.name}: {self.good} good signals, {self.concerns} concerns, "
            f"{len(self.unknown)} unknown. Counts, not a score."
        )
        each = (f"{signal.says.upper()} {signal.name}: {signal.evidence}" for signal in self.signals)
        return lines(
            head,
            f"Unknown: {', '.join(self.unknown)}" if self.unknown else None,
            f"Vulnerabilities: {self.vulnerabilities}",
            *self.notes,
            then=each,
        )


async def check_package_health(client: LibrariesIOClient, platform: PlatformName, name: PackageName) -> HealthAnswer:
    """Signs of a package's health, each with evidence and its rule: status, releases, repository, licence, people, use.

    No score, and nothing about vulnerabilities. What is `unknown` is no pass.
    Costs two requests, three if its repository is known.
    """
    project = await client.project(await find_platform(client, platform), name)
    notes: list[str] = []
    rank = await _best_effort(client.sourcerank(project.data.platform, project.data.name), "SourceRank", notes)
    repository = await _repository(client, project.data, notes)
    facts = Facts(
        project.data, rank.data if rank else None, repository.data if repository else None, project.fetched_at
    )
    signals, unknown = read_signals(facts)
    asked: list[Reply[Any]] = [reply for reply in (rank, repository) if reply is not None]
    return HealthAnswer(
        platform=project.data.platform,
        name=project.data.name,
        good=counted(signals, "good"),
        concerns=counted(signals, "concern"),
        signals=signals,
        unknown=unknown,
        vulnerabilities=VULNERABILITIES,
        notes=tuple(notes),
        provenance=Provenance.of(client, project, *asked),
    )


async def _repository(client: LibrariesIOClient, project: Project, notes: list[str]) -> Reply[Repository] | None:
    place = _REPOSITORY.match(project.repository_url or "")
    if place is None:
        notes.append("No repository on GitHub, GitLab or Bitbucket is known, so nothing of it is.")
        return None
    host, owner, name = place.groups()
    return await _best_effort(client.repository(host.lower(), owner, name), "The repository", notes)


async def _best_effort(question: Awaitable[Reply[T]], what: str, notes: list[str]) -> Reply[T] | None:
    """The answer, or a note: what is already known is worth more than an error."""
    try:
        return await question
    except CallError as error:
        notes.append(f"{what} could not be had ({error.error_type}), so what it would tell is unknown.")
        return None


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add("Health", check_package_health)
