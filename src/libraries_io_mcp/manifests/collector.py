"""Where every reader puts what it finds: it keeps the limits, drops repeats and takes secrets out of quoted text."""

import re
from dataclasses import dataclass, field, replace
from reprlib import Repr
from typing import Final

from libraries_io_mcp.manifests.manifest import Declared, Manifest, Piece, Truncated

MAX_PIECES: Final = 1_000
EXAMINED_PER_PACKAGE: Final = 3
"""Entries looked at for each package that may be kept; what stands after that many is only counted."""
MAX_TEXT: Final = 160
MAX_NAME: Final = 300
MAX_REQUIREMENT: Final = 1_000
_USER_INFO: Final = re.compile(r"://[^\s/@]*@")
_QUERY: Final = re.compile(r"(://[^\s?]*)\?\S*")
_NO_NAME: Final = re.compile(r"[\s\x00-\x1f\x7f\ud800-\udfff\"'<>\\^`{}|]")
_NO_TEXT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_brief: Final = Repr()
_brief.maxdict = _brief.maxlist = _brief.maxtuple = _brief.maxset = 6
_brief.maxlevel = 3
_brief.maxstring = _brief.maxother = MAX_TEXT


def shown(value: object) -> str:
    """Any value of a document as one short line without credentials."""
    text = value[:4_096] if isinstance(value, str) else _brief.repr(value)
    text = _QUERY.sub(r"\1?...", _USER_INFO.sub("://***@", _NO_TEXT.sub(" ", text))).strip()
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."


@dataclass
class Collector:
    """Takes packages, and pieces that are none, from a reader.

    Args:
        filename: the base name of the file, lower case; empty if none was given.
        max_packages: how many packages are kept.
    """

    filename: str = ""
    max_packages: int = 10_000
    _packages: dict[Declared, Declared] = field(default_factory=dict)
    _unread: list[Piece] = field(default_factory=list)
    _noted: list[Piece] = field(default_factory=list)
    _repeated: int = 0
    _cut_packages: int = 0
    _cut_unread: int = 0
    _cut_noted: int = 0
    _examined: int = 0

    @property
    def full(self) -> bool:
        """Whether a reader should stop parsing and only count the rest with `skip`."""
        return len(self._packages) >= self.max_packages or self._examined >= EXAMINED_PER_PACKAGE * self.max_packages

    def add(self, package: Declared) -> None:
        """Keep one package; a name that can't be one becomes an unread piece."""
        if not package.name or len(package.name) > MAX_NAME or _NO_NAME.search(package.name):
            self.refuse(package.name, "not a package name", line=package.line, path=package.path)
            return
        self._examined += 1
        package = _bounded(package)
        same = replace(package, line=None, path=None)
        if same in self._packages:
            self._repeated += 1
        elif self.full:
            self._cut_packages += 1
        else:
            self._packages[same] = package

    def refuse(self, text: object, reason: str, *, line: int | None = None, path: str | None = None) -> None:
        """Keep a piece that may be a dependency, or lead to some, but names no package we could ask about."""
        if len(self._unread) < MAX_PIECES:
            self._unread.append(_piece(text, reason, line, path))
        else:
            self._cut_unread += 1
        self._examined += 1

    def note(self, text: object, reason: str, *, line: int | None = None, path: str | None = None) -> None:
        """Keep a piece that is no dependency."""
        if len(self._noted) < MAX_PIECES:
            self._noted.append(_piece(text, reason, line, path))
        else:
            self._cut_noted += 1
        self._examined += 1

    def skip(self, entries: int = 1) -> None:
        """Count entries that nobody looked at."""
        self._cut_packages += entries

    def manifest(self, kind: str) -> Manifest:
        """Everything taken so far."""
        cut = Truncated(self._cut_packages, self._cut_unread, self._cut_noted)
        return Manifest(
            kind=kind,
            packages=tuple(self._packages.values()),
            unread=tuple(self._unread),
            noted=tuple(self._noted),
            repeated=self._repeated,
            truncated=cut if cut != Truncated() else None,
        )


def _piece(text: object, reason: str, line: int | None, path: str | None) -> Piece:
    return Piece(text=shown(text), reason=reason, line=line, path=shown(path) if path is not None else None)


def _bounded(package: Declared) -> Declared:
    """The same package with every text clean and short enough to quote."""
    return replace(
        package,
        requirement=_clean(package.requirement),
        version=_clean(package.version),
        group=_clean(package.group),
        marker=_clean(package.marker),
        extras=tuple(shown(extra) for extra in package.extras[:50]),
        path=shown(package.path) if package.path is not None else None,
    )


def _clean(text: str | None) -> str | None:
    return None if text is None else (_NO_TEXT.sub(" ", text[:MAX_REQUIREMENT]).strip() or None)
