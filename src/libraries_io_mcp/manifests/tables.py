"""Looking into decoded documents whose shape nobody has promised: a wrong type becomes an unread piece."""

from collections.abc import Iterator, Mapping
from typing import Any

from libraries_io_mcp.manifests.collector import Collector

Table = Mapping[str, Any]


def sub_table(parent: Table, key: str, found: Collector, path: str = "") -> Table:
    """The mapping at `key`; empty if it is missing, or is something else (which is noted)."""
    value = parent.get(key)
    if value is None or isinstance(value, Mapping):
        return value or {}
    found.refuse(value, "a table is expected here", path=joined(path, key))
    return {}


def sub_list(parent: Table, key: str, found: Collector, path: str = "") -> list[Any]:
    """The list at `key`; empty if it is missing, or is something else (which is noted)."""
    value = parent.get(key)
    if value is None or isinstance(value, list):
        return value or []
    found.refuse(value, "a list is expected here", path=joined(path, key))
    return []


def rows(parent: Table, key: str, found: Collector) -> Iterator[tuple[str, Table]]:
    """The tables of the list at `key`, each with its path; stops and counts when the collector is full."""
    items = sub_list(parent, key, found)
    for index, row in enumerate(items):
        if found.full:
            found.skip(len(items) - index)
            return
        path = f"{key}[{index}]"
        if isinstance(row, Mapping):
            yield path, row
        else:
            found.refuse(row, "a table is expected here", path=path)


def entries(parent: Table, key: str, found: Collector, path: str = "") -> Iterator[tuple[str, Any, str]]:
    """The (name, value, path) of the mapping at `key`; stops and counts when the collector is full."""
    table = sub_table(parent, key, found, path)
    place = joined(path, key)
    for index, (name, value) in enumerate(table.items()):
        if found.full:
            found.skip(len(table) - index)
            return
        yield str(name), value, joined(place, str(name))


def text_of(value: Any) -> str | None:
    """A non-empty text, or `None` for anything else."""
    return value.strip() or None if isinstance(value, str) else None


def joined(path: str, key: str) -> str:
    """A place in a document, one step further in; bounded, since a document chooses its own names and depth."""
    return (f"{path}.{key[:300]}" if path else key)[:600]
