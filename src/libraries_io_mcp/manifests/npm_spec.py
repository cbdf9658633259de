"""What the version part of an npm dependency can be: a range, a tag, an alias, or a place outside the registry."""

import re
from dataclasses import dataclass
from typing import Final

_EXACT: Final = re.compile(r"^[v=]{0,2}\s?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$")
_REPOSITORY: Final = re.compile(r"^[\w.-]+/[\w.#:^~-]+$")
_ELSEWHERE: Final = (
    (("workspace:",), "a member of the same workspace"),
    (("file:", "link:", "portal:", "./", "../", "/", "~/"), "a local path"),
    (("patch:",), "a patched package"),
    (("catalog:",), "a version kept in a catalog of the workspace, outside this file"),
    (("jsr:",), "a package of JSR, another registry"),
    (("git:", "git+", "git@", "ssh:", "github:", "gitlab:", "bitbucket:", "gist:"), "a repository"),
    (("http:", "https:"), "a URL"),
)


@dataclass(frozen=True, slots=True)
class NpmSpec:
    """One resolved meaning.

    Attributes:
        name: the package of the registry, which an alias hides.
        requirement: the range or tag.
        version: the exact version, if the range is one.
        problem: why it is no package of the registry; the rest is then of no use.
    """

    name: str
    requirement: str | None
    version: str | None = None
    problem: str | None = None


def npm_spec(name: str, text: str) -> NpmSpec:
    """The meaning of `"name": "text"` in a list of dependencies."""
    text = text.strip()
    if text.startswith("npm:"):
        real, _, wanted = text.removeprefix("npm:").rpartition("@")
        # Without a range the only "@" is that of a scope, at the front. Yarn writes npm:^1.0 for a plain range.
        if real:
            return npm_spec(real, wanted)
        plain = text.removeprefix("npm:")
        return npm_spec(plain, "") if plain.startswith("@") else npm_spec(name, plain)
    for prefixes, what in _ELSEWHERE:
        if text.startswith(prefixes):
            return NpmSpec(name, None, problem=f"{what}, no released version")
    if _REPOSITORY.match(text):
        return NpmSpec(name, None, problem="a repository, no released version")
    return NpmSpec(name, text or None, exact_npm_version(text))


def exact_npm_version(text: str) -> str | None:
    """The version that a range names alone."""
    match = _EXACT.match(text)
    return match.group(1) if match else None
