"""Version texts: their order, which of them are stable, and which follow semantic versioning."""

import re
from functools import lru_cache

_SEMVER = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_RELEASE = re.compile(r"v?(\d+(?:\.\d+)*)(.*)", re.DOTALL)
_PARTS = re.compile(r"\d+|[A-Za-z]+")
# Words after the number that name an edition or a repair, not a step towards a release.
_STABLE_WORDS = frozenset({"jre", "android", "final", "release", "ga", "post", "sp"})

Part = tuple[int, int, str]
VersionKey = tuple[tuple[int, ...], int, tuple[Part, ...]]


@lru_cache(maxsize=4_096)
def release_numbers(number: str) -> tuple[int, ...]:
    """`v1.10.0-rc.1` -> `(1, 10)`: the leading numbers without trailing zeros. Empty when there are none."""
    match = _RELEASE.fullmatch(number.strip())
    if match is None:
        return ()
    numbers = [int(part) for part in match[1].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _suffix(number: str) -> str:
    match = _RELEASE.fullmatch(number.strip())
    return match[2].split("+")[0].lower() if match else ""


@lru_cache(maxsize=4_096)
def is_stable(number: str) -> bool:
    """False for alphas, betas, release candidates and whatever else follows the number with a word or `-0`."""
    suffix = _suffix(number)
    words = [word for word in _PARTS.findall(suffix) if not word.isdigit()]
    return words[0] in _STABLE_WORDS if words else not suffix.startswith("-")


def follows_semver(number: str) -> bool:
    return _SEMVER.fullmatch(number) is not None


@lru_cache(maxsize=4_096)
def version_key(number: str) -> VersionKey:
    """A key for sorting, oldest first: by numbers, prereleases before their release, repairs after it."""
    words = _PARTS.findall(_suffix(number))
    step = 0 if not is_stable(number) else 2 if words else 1
    parts = tuple((1, int(word), "") if word.isdigit() else (0, 0, word) for word in words)
    return release_numbers(number), step, parts
