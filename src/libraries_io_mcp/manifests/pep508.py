"""One requirement as Python packaging writes it (PEP 508), read by the `packaging` library."""

import re
from typing import TYPE_CHECKING, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind

if TYPE_CHECKING:
    from packaging.requirements import Requirement

MAX_REQUIREMENT: Final = 4_096
MAX_PARENTHESES: Final = 40
_HEAD: Final = re.compile(r"^\s*[A-Za-z0-9._-]+\s*(?:\[[^\]]*\])?")
_PINNED: Final = re.compile(r"^={2,3}\s*([^\s,*]+)$")


def read_requirement(
    text: object,
    found: Collector,
    *,
    kind: DependencyKind = "runtime",
    group: str | None = None,
    optional: bool = False,
    line: int | None = None,
    path: str | None = None,
) -> None:
    """Add the package that one requirement names, or note why it names none."""
    if not isinstance(text, str):
        found.refuse(text, "a requirement is expected here", line=line, path=path)
        return
    requirement, problem = _parsed(text)
    if requirement is None:
        found.refuse(text, problem, line=line, path=path)
        return
    versions = version_text(text)
    found.add(
        Declared(
            platform="Pypi",
            name=requirement.name,
            requirement=versions,
            version=pinned(versions),
            kind=kind,
            optional=optional,
            group=group,
            marker=str(requirement.marker) if requirement.marker else None,
            extras=tuple(sorted(requirement.extras)),
            line=line,
            path=path,
        )
    )


def version_text(text: str) -> str | None:
    """The version part of a valid requirement, as declared."""
    rest = _HEAD.sub("", text.partition(";")[0], count=1).strip()
    return rest.removeprefix("(").removesuffix(")").strip() or None


def pinned(versions: str | None) -> str | None:
    """The one exact version that `==` or `===` names."""
    match = _PINNED.match(versions or "")
    return match.group(1) if match else None


def _parsed(text: str) -> "tuple[Requirement | None, str]":
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415  start-up time

    # Its parser of markers is recursive.
    if len(text) > MAX_REQUIREMENT or text.count("(") > MAX_PARENTHESES:
        return None, "the requirement is too long or nested too deep"
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        return None, f"not a valid requirement (PEP 508): {str(error).partition(chr(10))[0][:120]}"
    if requirement.url:
        return None, "a direct reference (URL, file or repository) and no released version"
    return requirement, ""
