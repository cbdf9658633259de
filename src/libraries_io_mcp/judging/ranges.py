"""Whether a declared range takes a version in, and which of two versions is the later one.

Each platform has its own notation; libraries read them: `packaging` for Pypi, `univers` and `semantic_version` for the
others. What no library reads, and every platform not listed here, is `None`: unknown.
"""

import re
from collections.abc import Callable
from typing import Any, Final

Takes = Callable[[str], bool]
"""Whether a range takes a version in."""

LONGEST_RANGE: Final = 200
"""Longer texts are not read: no range that a person wrote is so long, and the parsers are not made for them."""
_ANYTHING: Final = frozenset({"", "*", "x", "any", "latest", ">=0", ">= 0"})
_SPACE_AFTER_SIGN: Final = re.compile(r"([<>=~^!]+)\s+")
_BARE: Final = re.compile(r"\d")


def read_range(platform: str, text: str) -> Takes | None:
    """The range as a question about versions; `None` if it can't be read.

    Args:
        platform: stored spelling, such as `Pypi`.
        text: as the manifest has it.
    """
    text = text.strip()
    if text.lower() in _ANYTHING:
        return _any_version
    reader = _READERS.get(platform)
    if reader is None or len(text) > LONGEST_RANGE:
        return None
    try:
        return reader(text)
    except Exception:  # foreign parsers fail in many ways, and all of them mean "not readable"
        return None


def takes(range_: Takes, version: str) -> bool | None:
    """Whether the range takes the version in; `None` if the version can't be read."""
    try:
        return bool(range_(version))
    except Exception:  # as above
        return None


def is_later(platform: str, one: str, other: str) -> bool | None:
    """Whether `one` comes after `other`; `None` if either can't be read, or for platforms without a known order."""
    if one.removeprefix("v") == other.removeprefix("v"):
        return False
    if max(len(one), len(other)) > LONGEST_RANGE:
        return None
    try:
        version = _version_class(platform)
        return None if version is None else bool(version(one) > version(other))
    except Exception:  # as above
        return None


def _any_version(_version: str) -> bool:
    return True


def _pypi(text: str) -> Takes:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415  start-up time

    try:
        specifiers = SpecifierSet(text)
    except InvalidSpecifier:
        return _npm(text)  # Poetry's caret and tilde mean what npm's mean
    return lambda version: specifiers.contains(version, prereleases=True)


def _npm(text: str) -> Takes:
    from semantic_version import NpmSpec, Version  # noqa: PLC0415  start-up time

    spec = NpmSpec(_SPACE_AFTER_SIGN.sub(r"\1", text))
    return lambda version: spec.match(Version.coerce(version.removeprefix("v")))


def _cargo(text: str) -> Takes:
    """Like npm's, but a comma means "and", and a bare number means a caret."""
    parts = (part.strip() for part in text.split(","))
    return _npm(" ".join(f"^{part}" if _BARE.match(part) and "*" not in part else part for part in parts))


def _gem(text: str) -> Takes:
    from univers import gem  # noqa: PLC0415  start-up time

    untyped: Any = gem
    requirement = untyped.GemRequirement.from_string(text)
    return lambda version: requirement.satisfied_by(untyped.GemVersion(version))


def _hex(text: str) -> Takes:
    """Elixir's words around what RubyGems writes too."""
    return _either(
        [_all([_gem(part.replace("==", "=")) for part in any_.split(" and ")]) for any_ in _alternatives(text)]
    )


def _composer(text: str) -> Takes:
    """Like npm's, but `~1.2` goes up to 2, as RubyGems' `~>` does, and a comma means "and"."""
    tidy = _SPACE_AFTER_SIGN.sub(r"\1", re.sub(r"\s-\s", "~-~", text))
    return _either([_all([_composer_part(part) for part in re.split(r"[,\s]+", any_)]) for any_ in _alternatives(tidy)])


def _composer_part(part: str) -> Takes:
    if part.startswith("~") and "~-~" not in part:
        return _gem(f"~> {part[1:].removeprefix('v')}")
    return _npm(part.replace("~-~", " - "))


def _maven(text: str) -> Takes:
    from univers.version_range import MavenVersionRange  # noqa: PLC0415  start-up time

    return _inside(MavenVersionRange, text)


def _nuget(text: str) -> Takes:
    from univers.version_range import NugetVersionRange  # noqa: PLC0415  start-up time

    return _npm(text) if "*" in text else _inside(NugetVersionRange, text)


def _inside(kind: Any, text: str) -> Takes:
    if not text.startswith(("[", "(")):
        raise ValueError("a version alone is a wish, not a range")
    range_ = kind.from_native(text)
    return lambda version: kind.version_class(version) in range_


def _alternatives(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"\s*\|\|?\s*|\s+or\s+", text) if part.strip()]


def _all(parts: list[Takes]) -> Takes:
    return lambda version: all(part(version) for part in parts)


def _either(parts: list[Takes]) -> Takes:
    return lambda version: any(part(version) for part in parts)


def _version_class(platform: str) -> Any:
    from univers import versions  # noqa: PLC0415  start-up time

    name = _ORDERS.get(platform)
    return getattr(versions, name) if name else None


_READERS: Final[dict[str, Callable[[str], Takes]]] = {
    "Cargo": _cargo,
    "Hex": _hex,
    "Maven": _maven,
    "NPM": _npm,
    "NuGet": _nuget,
    "Packagist": _composer,
    "Pub": _npm,
    "Pypi": _pypi,
    "Rubygems": _gem,
}
_ORDERS: Final = {
    "Cargo": "SemverVersion",
    "Go": "GolangVersion",
    "Hex": "SemverVersion",
    "Maven": "MavenVersion",
    "NPM": "SemverVersion",
    "NuGet": "NugetVersion",
    "Packagist": "ComposerVersion",
    "Pub": "SemverVersion",
    "Pypi": "PypiVersion",
    "Rubygems": "RubygemsVersion",
}
"""The order of a platform's versions, as `univers.versions` names it."""
