"""A package as one line of a list."""

from typing import Annotated

from pydantic import Field

from libraries_io_mcp.answer.model import Part, short, shown
from libraries_io_mcp.librariesio.models import Project


class FoundPackage(Part):
    """One package of a list."""

    platform: str
    name: str
    description: str | None
    licenses: Annotated[tuple[str, ...], Field(description="SPDX; empty: unknown.")]
    latest_stable: str | None
    latest_stable_published_at: str | None
    status: Annotated[str | None, Field(description="null: normal.")]
    stars: int | None
    dependents_count: int | None
    rank: int | None
    language: str | None

    @classmethod
    def of(cls, project: Project) -> "FoundPackage":
        """The line out of what the service says of the package."""
        published = project.latest_stable_release_published_at
        return cls(
            platform=project.platform,
            name=project.name,
            description=short(project.description, 300),
            licenses=tuple(project.normalized_licenses or ()),
            latest_stable=project.latest_stable_release_number,
            latest_stable_published_at=f"{published:%Y-%m-%d}" if published else None,
            status=project.status,
            stars=project.known_stars,
            dependents_count=project.dependents_count,
            rank=project.rank,
            language=project.language,
        )

    def text(self) -> str:
        """The line as text."""
        unusual = f" ({self.status})" if self.status not in (None, "Active") else ""
        return (
            f"{self.platform}/{self.name} {self.latest_stable or '(no stable version known)'}"
            f" [{', '.join(self.licenses) or 'licence unknown'}] {shown(self.stars)} stars"
            f"{unusual}: {self.description or '-'}"
        )
