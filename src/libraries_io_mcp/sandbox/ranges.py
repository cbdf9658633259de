"""Whether a version is inside a range, in the notations of the platforms of the catalogue.

Good enough to say `outdated` and to walk a dependency tree; not a full parser of any platform's ranges.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import ge, gt, le, lt, ne

from libraries_io_mcp.sandbox.version_order import VersionKey, is_stable, release_numbers, version_key

_EITHER = re.compile(r"\s*\|\|?\s*|\s+or\s+")
_CLAUSE = re.compile(r"(\^|~>|~=|~|>=|<=|==|!=|=|>|<)?\s*([^\s,<>=!~^]+)")
_INTERVAL = re.compile(r"([\[(])([^,\[\]()]*)(,?)([^,\[\]()]*)([\])])")
_VERSION = re.compile(r"v?\d[^\s]*")
_COMPARISONS: Mapping[str, Callable[[VersionKey, VersionKey], bool]] = {
    ">=": ge,
    "<=": le,
    ">": gt,
    "<": lt,
    "!=": ne,
}
_ANY = ("", "*", "latest", "x")


def satisfies(number: str, requirements: str) -> bool | None:
    """Whether the version is inside the range; None when the range can't be read."""
    verdicts = [_satisfies_all(number, part) for part in _EITHER.split(requirements.strip())]
    if True in verdicts:
        return True
    return None if None in verdicts else False


def newest_inside(numbers: Sequence[str], requirements: str) -> str | None:
    """The newest version inside the range, a stable one if there is any; None when there is none."""
    inside = [number for number in numbers if satisfies(number, requirements)]
    stable = [number for number in inside if is_stable(number)]
    return max(stable or inside, key=version_key, default=None)


def _satisfies_all(number: str, requirements: str) -> bool | None:
    text = requirements.strip()
    if text.lower() in _ANY:
        return True
    if (interval := _INTERVAL.fullmatch(text)) is not None:
        return _inside_interval(version_key(number), interval)
    clauses = _CLAUSE.findall(text)
    if not clauses or any(not _VERSION.fullmatch(bound) for _, bound in clauses):
        return None
    return all(_holds(number, operator, bound) for operator, bound in clauses)


def _inside_interval(key: VersionKey, interval: re.Match[str]) -> bool:
    opening, low, comma, high, closing = (part.strip() for part in interval.groups())
    if not comma:
        return key == version_key(low)
    above = not low or key > version_key(low) or (opening == "[" and key == version_key(low))
    below = not high or key < version_key(high) or (closing == "]" and key == version_key(high))
    return above and below


def _holds(number: str, operator: str, bound: str) -> bool:
    key, limit = version_key(number), version_key(bound)
    if operator in _COMPARISONS:
        return _COMPARISONS[operator](key, limit)
    if operator in ("^", "~", "~>", "~="):
        return key >= limit and _same_line(number, _fixed_part(operator, bound))
    return _equals(number, bound)


def _equals(number: str, bound: str) -> bool:
    """A shortened bound (`1`, `1.x`, `1.*`) means every version that starts so."""
    if re.search(r"[.](?:\*|x)$", bound):
        return _same_line(number, _numbers(re.sub(r"(?:[.](?:\*|x))+$", "", bound)))
    if bound.isdigit():
        return _same_line(number, _numbers(bound))
    return version_key(number) == version_key(bound)


def _numbers(bound: str) -> tuple[int, ...]:
    """The numbers as written, trailing zeros kept: how far a `~` reaches depends on how many there are."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[-+a-z]", bound.lower().lstrip("v"))[0]))


def _fixed_part(operator: str, bound: str) -> tuple[int, ...]:
    """The leading numbers that may not change."""
    numbers = _numbers(bound)
    if operator == "^":
        leading_zeros = next((index for index, part in enumerate(numbers) if part), len(numbers) - 1)
        return numbers[: leading_zeros + 1]
    if operator == "~":
        return numbers[:2]
    return numbers[:-1] if len(numbers) > 1 else ()


def _same_line(number: str, fixed: tuple[int, ...]) -> bool:
    numbers = release_numbers(number)
    padded = numbers + (0,) * (len(fixed) - len(numbers))
    return padded[: len(fixed)] == fixed
