"""Repositories in the shape of the API, derived from the packages that are published from them."""

from zlib import crc32

from libraries_io_mcp.sandbox.catalogue import Catalogue, Package, newest_requirements
from libraries_io_mcp.sandbox.clock import timestamp
from libraries_io_mcp.sandbox.people import FIRST_SEEN
from libraries_io_mcp.sandbox.popularity import RepositoryNumbers, repository_numbers
from libraries_io_mcp.sandbox.projects import Json, project, synced_at
from libraries_io_mcp.sandbox.sourcerank import rank

DAY = 86_400


def repository(catalogue: Catalogue, full_name: str, now: float) -> Json:
    """All fields of a Repository. Files, identifiers and dates of the repository itself are made up."""
    top = catalogue.repositories[full_name][0]
    return {
        **_description(full_name, top),
        **_numbers(repository_numbers(catalogue, full_name)),
        **_dates(full_name, top),
        **_files(top),
        **_fixed(full_name),
        **_community(catalogue, top, now),
        "rank": rank(catalogue, top, now),
    }


def by_rank(catalogue: Catalogue, names: list[str], now: float) -> list[str]:
    """Best rank first, then most stars."""
    return sorted(names, key=lambda name: (_rank(catalogue, name, now), _stars(catalogue, name)), reverse=True)


def by_stars(catalogue: Catalogue, names: list[str], now: float) -> list[str]:
    """Most stars first, then best rank."""
    return sorted(names, key=lambda name: (_stars(catalogue, name), _rank(catalogue, name, now)), reverse=True)


def dependent_on(catalogue: Catalogue, package: Package) -> list[str]:
    """Repositories of the catalogue with a package that needs the given one."""
    return [
        name
        for name, packages in catalogue.repositories.items()
        if any(_needs(catalogue, user, package) for user in packages)
    ]


def readme(full_name: str, package: Package) -> str:
    return f"<h1>{full_name.split('/')[1]}</h1>\n<p>{package.description}</p>"


def _needs(catalogue: Catalogue, user: Package, package: Package) -> bool:
    return user.platform == package.platform and any(
        catalogue.find(user.platform, requirement.name) is package for requirement in newest_requirements(user)
    )


def _rank(catalogue: Catalogue, full_name: str, now: float) -> int:
    return rank(catalogue, catalogue.repositories[full_name][0], now)


def _stars(catalogue: Catalogue, full_name: str) -> int:
    return repository_numbers(catalogue, full_name).stars


def _description(full_name: str, top: Package) -> Json:
    return {
        "full_name": full_name,
        "name": full_name.split("/")[1],
        "description": top.description,
        "homepage": top.homepage,
        "language": top.language,
        "license": top.spdx[0] if top.spdx else None,
        "keywords": list(top.keywords),
        "status": top.status if top.status == "Unmaintained" else None,
    }


def _numbers(numbers: RepositoryNumbers) -> Json:
    return {
        "size": numbers.size,
        "stargazers_count": numbers.stars,
        "forks_count": numbers.forks,
        "open_issues_count": numbers.open_issues,
        "subscribers_count": numbers.subscribers,
        "contributions_count": numbers.contributors,
        "github_contributions_count": numbers.contributors,
    }


def _dates(full_name: str, top: Package) -> Json:
    created = FIRST_SEEN - crc32(full_name.encode()) % 1500 * DAY
    return {
        "created_at": timestamp(created),
        "updated_at": timestamp(synced_at(top)),
        "pushed_at": timestamp(synced_at(top) - DAY),
        "last_synced_at": timestamp(synced_at(top)),
    }


def _files(top: Package) -> Json:
    """Paths of files, not booleans."""
    return {
        "has_readme": "README.md",
        "has_changelog": "CHANGELOG.md" if top.weight >= 6 else None,
        "has_contributing": "CONTRIBUTING.md" if top.weight >= 6 else None,
        "has_license": "LICENSE",
        "has_coc": "CODE_OF_CONDUCT.md" if top.weight >= 8 else None,
        "has_threat_model": None,
        "has_audit": None,
    }


def _fixed(full_name: str) -> Json:
    uuid = str(10_000_000 + crc32(full_name.encode()) % 90_000_000)
    return {
        "uuid": uuid,
        "github_id": uuid,
        "host_type": "GitHub",
        "host_domain": None,
        "fork": False,
        "source_name": None,
        "private": False,
        "has_issues": True,
        "has_wiki": False,
        "has_pages": False,
        "mirror_url": None,
        "default_branch": "main",
        "scm": "git",
        "fork_policy": None,
        "pull_requests_enabled": None,
        "logo_url": None,
    }


def _community(catalogue: Catalogue, top: Package, now: float) -> Json:
    fields = ("code_of_conduct_url", "contribution_guidelines_url", "funding_urls", "security_policy_url")
    of_package = project(catalogue, top, now, versions=False)
    return {field: of_package[field] for field in fields}
