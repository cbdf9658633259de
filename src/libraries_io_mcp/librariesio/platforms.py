"""The names of the platforms: stored spelling, other names people use, and the nearest ones to a misspelt name.

The list is the service's own of 2026. A platform added since is still found: whoever resolves a name asks
`/platforms` before calling it unknown.
"""

from difflib import get_close_matches
from typing import Final

STORED: Final = (
    "Alcatraz", "Bower", "Cargo", "Carthage", "Clojars", "CocoaPods", "Conda", "CPAN", "CRAN", "Dub", "Elm", "Go",
    "Hackage", "Haxelib", "Hex", "Homebrew", "Inqlude", "Julia", "Maven", "Meteor", "Nimble", "NPM", "NuGet",
    "Packagist", "Pub", "Puppet", "PureScript", "Pypi", "Racket", "Rubygems", "SwiftPM",
)  # fmt: skip
ALIASES: Final = {
    "brew": "Homebrew",
    "composer": "Packagist",
    "crates": "Cargo",
    "crates.io": "Cargo",
    "dart": "Pub",
    "dotnet": "NuGet",
    "elixir": "Hex",
    "flutter": "Pub",
    "gem": "Rubygems",
    "golang": "Go",
    "gradle": "Maven",
    "haskell": "Hackage",
    "java": "Maven",
    "javascript": "NPM",
    "node": "NPM",
    "perl": "CPAN",
    "php": "Packagist",
    "pip": "Pypi",
    "pnpm": "NPM",
    "pod": "CocoaPods",
    "python": "Pypi",
    "ruby": "Rubygems",
    "rust": "Cargo",
    "swift": "SwiftPM",
    "yarn": "NPM",
}
_BY_NAME: Final = {name.lower(): name for name in STORED} | ALIASES


def stored_platform(name: str) -> str | None:
    """The stored spelling for any letter case or alias; `None` for a name that is in neither list."""
    return _BY_NAME.get(name.strip().lower())


def nearest_platforms(name: str, known: tuple[str, ...] = STORED) -> tuple[str, ...]:
    """Up to three platforms with a similar name or alias, the most similar first."""
    candidates = {**_BY_NAME, **{platform.lower(): platform for platform in known}}
    close = get_close_matches(name.strip().lower(), list(candidates), n=6, cutoff=0.5)
    return tuple(dict.fromkeys(candidates[match] for match in close))[:3]
