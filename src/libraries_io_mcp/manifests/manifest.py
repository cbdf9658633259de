"""What a manifest declares, as plain frozen data: packages, what could not be read, what is none, and what was cut."""

from dataclasses import dataclass
from typing import Literal

DependencyKind = Literal[
    "runtime", "dev", "test", "build", "optional", "peer", "indirect", "locked", "constraint", "managed", "parent"
]


@dataclass(frozen=True, slots=True)
class Declared:
    """One package that the manifest names.

    Attributes:
        platform: in Libraries.io's stored spelling ("Pypi", "NPM", "Rubygems").
        name: as Libraries.io writes it ("group:artifact" for Maven, the module path for Go).
        requirement: the accepted versions as declared, or `None` where none are named.
        version: the exact version if the manifest pins or locks one, otherwise `None`.
        kind: what it is needed for; "locked" where a lock file does not say, "managed" where only a version is set.
        optional: the project works without it.
        direct: whether the project itself names it; `None` where a lock file does not tell.
        group: the extra, group, profile or target framework it stands under.
        marker: the condition under which it is needed, as declared.
        extras: features asked of it.
        line: 1-based, where the format lets us know it.
        path: the place in the document ("dependencies.requests"), for formats without lines.
    """

    platform: str
    name: str
    requirement: str | None = None
    version: str | None = None
    kind: DependencyKind = "runtime"
    optional: bool = False
    direct: bool | None = True
    group: str | None = None
    marker: str | None = None
    extras: tuple[str, ...] = ()
    line: int | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of the manifest that names no package we could ask about, and why.

    Attributes:
        text: the piece, shortened to 160 characters, without user names, passwords and queries of URLs.
        reason: one sentence or clause for a reader.
        line: 1-based, where it is known.
        path: the place in the document, for formats without lines.
    """

    text: str
    reason: str
    line: int | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Truncated:
    """How much a limit cut off.

    Attributes:
        packages: packages and further entries that were counted and not kept.
        unread: unread pieces that were counted and not listed.
        noted: the same for what is no dependency.
    """

    packages: int = 0
    unread: int = 0
    noted: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that one manifest says.

    Attributes:
        kind: the name of the format ("requirements.txt").
        packages: in the order of the text.
        unread: what may be a dependency, or lead to some; in the order of the text.
        noted: what is no dependency: settings, interpreters, changes of other packages' versions.
        repeated: entries that say exactly what an earlier one said, and are listed once.
        truncated: `None` unless a limit was hit.
    """

    kind: str
    packages: tuple[Declared, ...]
    unread: tuple[Piece, ...]
    noted: tuple[Piece, ...] = ()
    repeated: int = 0
    truncated: Truncated | None = None
