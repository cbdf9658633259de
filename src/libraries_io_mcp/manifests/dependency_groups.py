"""The `[dependency-groups]` table of pyproject.toml (PEP 735)."""

from collections.abc import Mapping
from typing import Any

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.pep508 import read_requirement
from libraries_io_mcp.manifests.tables import Table


def read_dependency_groups(groups: Table, found: Collector) -> None:
    """Each requirement once, under the group in which it stands.

    An include names a group whose packages are listed anyway, so nothing is copied; an include that leads nowhere or
    back to itself is noted.
    """
    names = {_normal(name) for name in groups}
    looping = _looping(groups)
    for group, listed in groups.items():
        path = f"dependency-groups.{group}"
        if not isinstance(listed, list):
            found.refuse(listed, "a list of requirements is expected here", path=path)
            continue
        for index, entry in enumerate(listed):
            if found.full:
                found.skip(len(listed) - index)
                break
            place = f"{path}[{index}]"
            if not isinstance(entry, Mapping):
                read_requirement(entry, found, kind="dev", group=group, path=place)
                continue
            problem = _include_problem(entry, names, group in looping)
            if problem:
                found.refuse(entry, problem, path=place)


def _include_problem(entry: Mapping[str, Any], names: set[str], loops: bool) -> str | None:
    included = _included(entry)
    if included is None:
        return "neither a requirement nor an include-group"
    if included not in names:
        return "includes a group that does not exist"
    return "includes groups in a circle" if loops else None


def _looping(groups: Table) -> set[str]:
    """The groups from which a chain of includes leads back to the group itself: what peeling off the ends leaves."""
    waiting = {
        name: {other for entry in listed if (other := _included(entry)) is not None}
        for name, listed in groups.items()
        if isinstance(listed, list)
    }
    known = {_normal(name) for name in waiting}
    users: dict[str, list[str]] = {}
    for name, included in waiting.items():
        included.intersection_update(known)
        for other in included:
            users.setdefault(other, []).append(name)
    done = [name for name, included in waiting.items() if not included]
    while done:
        finished = _normal(done.pop())
        for user in users.get(finished, ()):
            waiting[user].discard(finished)
            if not waiting[user]:
                done.append(user)
    return {name for name, included in waiting.items() if included}


def _included(entry: Any) -> str | None:
    name = entry.get("include-group") if isinstance(entry, Mapping) else None
    return _normal(name) if isinstance(name, str) else None


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
