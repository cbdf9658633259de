"""What a running MCP request has asked of Libraries.io, for the attributes of its span."""

from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import Any, Final

from libraries_io_mcp.telemetry.semconv import Attribute, CacheResult

MIXED: Final = "mixed"
_NOBODY: Final[dict[str, Any]] = {}
_notes: Final[ContextVar[dict[str, Any]]] = ContextVar("libraries_io_mcp.asked", default=_NOBODY)


def note_question(result: CacheResult, about: Mapping[str, Any]) -> None:
    """A question was answered in this way; `about` may hold platform and package.

    Of several questions the first one names the package, since it is what was asked for.
    """
    notes = _notes.get()
    if notes is _NOBODY:
        return
    notes[Attribute.CACHE_RESULT] = result if notes.get(Attribute.CACHE_RESULT, result) == result else MIXED
    for attribute in (Attribute.PLATFORM, Attribute.PACKAGE):
        if attribute in about:
            notes.setdefault(attribute, about[attribute])


class noting:  # noqa: N801 - reads as the statement it is used in
    """`with noting(attributes)`: what is asked inside is noted there."""

    __slots__ = ("_notes", "_token")

    def __init__(self, notes: dict[str, Any]) -> None:
        self._notes = notes

    def __enter__(self) -> None:
        self._token: Token[dict[str, Any]] = _notes.set(self._notes)

    def __exit__(self, *_exception: object) -> None:
        _notes.reset(self._token)
