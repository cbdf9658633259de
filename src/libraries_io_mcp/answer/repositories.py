"""A repository as one line of a list."""

from libraries_io_mcp.answer.model import Part, short, shown
from libraries_io_mcp.librariesio.repository_models import Repository


class FoundRepository(Part):
    """One repository of a list."""

    host: str | None
    full_name: str | None
    description: str | None
    language: str | None
    license: str | None
    status: str | None
    stars: int | None
    pushed_at: str | None

    @classmethod
    def of(cls, repository: Repository) -> "FoundRepository":
        """The line out of what the service says of the repository."""
        return cls(
            host=repository.host_type,
            full_name=repository.full_name,
            description=short(repository.description, 300),
            language=repository.language,
            license=repository.license,
            status=repository.status,
            stars=repository.stargazers_count,
            pushed_at=f"{repository.pushed_at:%Y-%m-%d}" if repository.pushed_at else None,
        )

    def text(self) -> str:
        """The line as text."""
        unusual = f" ({self.status})" if self.status not in (None, "Active") else ""
        return f"{self.full_name} {shown(self.stars)} stars{unusual}: {self.description or '-'}"
