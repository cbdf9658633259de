"""Users and organisations, and who contributed to what.

Organisations are the owners of the catalogue's repositories. Every user is invented: `contributor-001` to
`contributor-300`, and which of them contributed to a repository follows from its name alone.
"""

import re
from collections.abc import Iterable
from zlib import crc32

from libraries_io_mcp.sandbox.catalogue import Catalogue
from libraries_io_mcp.sandbox.clock import timestamp
from libraries_io_mcp.sandbox.popularity import CONTRIBUTOR_POOL, repository_numbers
from libraries_io_mcp.sandbox.projects import Json

FIRST_SEEN = 1_422_000_000.0
LAST_SYNC = 1_735_689_600.0

_USER = re.compile(r"contributor-(\d{3})")


def contributors(catalogue: Catalogue, full_name: str) -> list[str]:
    """Logins of the contributors of a repository, most contributions first."""
    count = repository_numbers(catalogue, full_name).contributors
    first = _first(full_name)
    return [f"contributor-{(first + step) % CONTRIBUTOR_POOL + 1:03}" for step in range(count)]


def contributed_to(catalogue: Catalogue, login: str) -> list[str]:
    """The repositories that a user contributed to."""
    place = int(login[-3:]) - 1
    return [
        name
        for name in catalogue.repositories
        if (place - _first(name)) % CONTRIBUTOR_POOL < repository_numbers(catalogue, name).contributors
    ]


def find_login(catalogue: Catalogue, login: str) -> str | None:
    """The stored spelling of a user's or organisation's login, case ignored."""
    if is_user(login.lower()):
        return login.lower()
    return next((owner for owner in _owners(catalogue.repositories) if owner.lower() == login.lower()), None)


def is_user(login: str) -> bool:
    match = _USER.fullmatch(login)
    return match is not None and 1 <= int(match[1]) <= CONTRIBUTOR_POOL


def owned_by(catalogue: Catalogue, login: str) -> list[str]:
    """The repositories of a user or organisation."""
    return [name for name in catalogue.repositories if name.startswith(f"{login}/")]


def person(login: str) -> Json:
    """A User, or an Organisation if the login is no user's."""
    return _user(login) if is_user(login) else _organisation(login)


def _first(full_name: str) -> int:
    """The place in the pool of the repository's first contributor."""
    return crc32(full_name.encode()) % CONTRIBUTOR_POOL


def _owners(repositories: Iterable[str]) -> set[str]:
    return {name.split("/")[0] for name in repositories}


def _identity(login: str, user_type: str) -> Json:
    return {
        "github_id": str(900_000_000 + crc32(login.encode()) % 1_000_000),
        "login": login,
        "user_type": user_type,
        "created_at": timestamp(FIRST_SEEN),
        "updated_at": timestamp(LAST_SYNC),
    }


def _user(login: str) -> Json:
    """Every third user has an empty profile."""
    told = int(login[-3:]) % 3 > 0
    return {
        **_identity(login, "User"),
        "name": f"Contributor {login[-3:]}" if told else None,
        "company": "Example Ltd" if told else None,
        "blog": f"https://{login}.example" if told else "",
        "location": "Exampletown" if told else None,
        "hidden": False,
        "last_synced_at": timestamp(LAST_SYNC) if told else None,
        "email": f"{login}@people.example" if told else None,
        "bio": "Invented for the sandbox" if told else None,
        "uuid": _identity(login, "User")["github_id"],
        "host_type": "GitHub",
    }


def _organisation(login: str) -> Json:
    return {
        **_identity(login, "Organisation"),
        "name": login,
        "company": None,
        "blog": f"https://github.com/{login}",
        "location": None,
        "hidden": False,
        "last_synced_at": timestamp(LAST_SYNC),
        "email": None,
        "bio": None,
        "followers": 0,
        "following": 0,
        "uuid": _identity(login, "Organisation")["github_id"],
        "host_type": "GitHub",
    }
