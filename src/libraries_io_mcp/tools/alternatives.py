"""A tool that finds packages which may serve instead of another."""

from collections.abc import Sequence
from typing import Final

from libraries_io_mcp.answer import ListAnswer, Provenance, Tools
from libraries_io_mcp.answer.arguments import PackageName, PlatformName, find_platform
from libraries_io_mcp.answer.model import counted, lines
from libraries_io_mcp.answer.packages import FoundPackage
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.librariesio.models import Project
from libraries_io_mcp.librariesio.reply import Reply

GUIDE = "Replace: find_alternatives lists packages that share keywords with one."
MOST_KEYWORDS: Final = 5
CANDIDATES: Final = 100


class Alternative(FoundPackage):
    """A package that may serve instead."""

    shared_keywords: tuple[str, ...]


class AlternativesAnswer(ListAnswer):
    """Packages that may serve instead of one."""

    listed = "alternatives"

    platform: str
    name: str
    how_chosen: str
    alternatives: tuple[Alternative, ...]

    def text(self) -> str:
        """How they were chosen, and one line each."""
        head = f"{counted(len(self.alternatives), 'alternative')} to {self.platform}/{self.name}. {self.how_chosen}"
        shared = (f"{other.text()} (shares {', '.join(other.shared_keywords)})" for other in self.alternatives)
        return lines(head, then=shared)


async def find_alternatives(client: LibrariesIOClient, platform: PlatformName, name: PackageName) -> AlternativesAnswer:
    """Packages of the same platform that share keywords with this one, those that share most first.

    A list to start from, not a recommendation. Needs an API key; costs two requests.
    """
    subject = await client.project(await find_platform(client, platform), name)
    keywords = telling_keywords(subject.data)
    if not keywords:
        how = "Its keywords are unknown" if subject.data.keywords is None else "It has no keywords"
        return _answer(client, subject, f"{how}, so there is nothing to choose by.", ())
    found = await client.search(
        "", platforms=(subject.data.platform,), keywords=keywords, sort="rank", per_page=CANDIDATES
    )
    others = alternatives_among(found.data, subject.data, keywords)
    how = (
        f"Chosen out of {len(found.data)} {subject.data.platform} packages with any of the keywords "
        f"{', '.join(keywords)}: by the number of shared keywords, then SourceRank."
    )
    return _answer(client, subject, how, others, found)


def telling_keywords(project: Project) -> tuple[str, ...]:
    """The keywords that say what it is for: not its platform, its language or its name, which many others carry."""
    common = {project.platform.lower(), (project.language or "").lower(), project.name.lower()}
    words = (word for word in project.keywords or () if word.lower() not in common and "," not in word)
    return tuple(words)[:MOST_KEYWORDS]


def alternatives_among(
    candidates: Sequence[Project], subject: Project, keywords: tuple[str, ...]
) -> tuple[Alternative, ...]:
    """The candidates but the package itself, those that share most keywords first, of equal ones the better ranked."""
    others = [
        Alternative(
            **FoundPackage.of(project).model_dump(),
            shared_keywords=tuple(word for word in keywords if word in (project.keywords or ())),
        )
        for project in candidates
        if project.name != subject.name
    ]
    return tuple(sorted(others, key=lambda other: (-len(other.shared_keywords), -(other.rank or 0))))


def _answer(
    client: LibrariesIOClient,
    subject: Reply[Project],
    how_chosen: str,
    alternatives: tuple[Alternative, ...],
    *found: Reply[tuple[Project, ...]],
) -> AlternativesAnswer:
    return AlternativesAnswer(
        platform=subject.data.platform,
        name=subject.data.name,
        how_chosen=how_chosen,
        alternatives=alternatives,
        provenance=Provenance.of(client, subject, *found),
    )


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add("Alternatives", find_alternatives)
