"""A declared dependency as one line of a list."""

from typing import Annotated

from pydantic import Field

from libraries_io_mcp.answer.model import Part
from libraries_io_mcp.librariesio.models import Dependency


class PackageDependency(Part):
    """One declared dependency."""

    platform: str | None
    name: str
    requirements: str | None
    kind: str | None
    optional: bool | None
    latest_stable: Annotated[str | None, Field(description="null: not indexed.")]
    outdated: Annotated[bool | None, Field(description="Range excludes the newest.")]
    deprecated: bool | None
    licenses: tuple[str, ...] | None

    @classmethod
    def of(cls, dependency: Dependency) -> "PackageDependency":
        """The line out of what the service says of the dependency."""
        licenses = dependency.normalized_licenses
        return cls(
            platform=dependency.platform,
            name=dependency.name,
            requirements=dependency.requirements,
            kind=dependency.kind,
            optional=dependency.optional,
            latest_stable=dependency.latest_stable,
            outdated=dependency.outdated,
            deprecated=dependency.deprecated,
            licenses=None if licenses is None else tuple(licenses),
        )

    def text(self) -> str:
        """The line as text; marks in capitals are what wants attention."""
        marks = f"{' OUTDATED' if self.outdated else ''}{' DEPRECATED' if self.deprecated else ''}"
        newest = f"newest {self.latest_stable}" if self.latest_stable else "not indexed"
        wanted = "requirement unknown" if self.requirements is None else self.requirements or "any"
        return f"{self.name} {wanted} ({self.kind or 'kind unknown'}; {newest}){marks}"
