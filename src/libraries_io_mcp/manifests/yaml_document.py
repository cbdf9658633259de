"""YAML text to its mapping, or a clear error.

Built from libyaml's event stream instead of PyYAML's constructor: events arrive one by one, so that depth and amount
are limited while reading, and an alias (the fuse of every YAML bomb) is refused where it stands. Every scalar stays
the text it is: to a manifest `1.10` is a version and no number, and no tag is ever acted on.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from libraries_io_mcp.manifests.faults import ManifestError

if TYPE_CHECKING:
    from yaml import Event

MAX_DEPTH: Final = 60
MAX_EVENTS: Final = 1_000_000
_TAG_LINE: Final = re.compile(r"^%TAG", re.MULTILINE)
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


def yaml_table(text: str) -> dict[str, Any]:
    """The mapping that the first document of the text holds: texts, lists, mappings and `None`.

    Raises:
        ManifestError: not YAML, with aliases or `%TAG` lines, nested too deep, too many parts, or no mapping.
    """
    if _TAG_LINE.search(text):  # libyaml compares each with all earlier ones
        raise ManifestError("The manifest has %TAG directives; they are not read.")
    document = _compose(_events(text))
    if not isinstance(document, dict):
        raise ManifestError("The manifest is YAML, but not a mapping.")
    return document


def _events(text: str) -> "Iterator[Event]":
    import yaml  # noqa: PLC0415  start-up time: few calls need it

    # A wheel without libyaml has no CSafeLoader; the Python one is slower and raises the same errors.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for count, event in enumerate(yaml.parse(text, Loader=loader)):
            if count > MAX_EVENTS:
                raise ManifestError(f"The manifest has more than {MAX_EVENTS} parts; send a smaller one.")
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 1 if event.start_mark else 0
                raise ManifestError(f"The manifest uses a YAML alias (line {line}); write it out.")
            if isinstance(event, yaml.DocumentEndEvent):
                return
            yield event
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ManifestError(f"The manifest is not valid YAML: {error.problem} (line {line}).") from None
    except (yaml.YAMLError, RecursionError):
        raise ManifestError("The manifest is not valid YAML.") from None


class _Level:
    """One open list or mapping, and the key that waits for its value."""

    def __init__(self, content: dict[str, Any] | list[Any]) -> None:
        self.content = content
        self.key: str | None = None

    def put(self, value: Any) -> None:
        """Add a value, or take it as the next key."""
        if isinstance(self.content, list):
            self.content.append(value)
        elif self.key is None:
            self.key = value if isinstance(value, str) else "null" if value is None else "(not a text)"
        else:
            self.content[self.key] = value
            self.key = None


def _compose(events: "Iterator[Event]") -> Any:
    import yaml  # noqa: PLC0415  start-up time

    root = _Level([])
    levels = [root]
    for event in events:
        if isinstance(event, yaml.ScalarEvent):
            plain_null = event.style is None and event.value in _NULLS
            levels[-1].put(None if plain_null else event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            content: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
            levels[-1].put(content)
            levels.append(_Level(content))
            if len(levels) > MAX_DEPTH:
                raise ManifestError("The manifest is nested too deep to be read.")
        elif isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
    return root.content[0] if root.content else None  # type: ignore[index]  # the root is the list made above
