"""Labels, samples and series, and what the evaluator asks of a place that keeps them."""

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

Labels = Mapping[str, str]
"""Label names and values, `__name__` among them where there is one. An empty value is the same as none."""

Key = frozenset[tuple[str, str]]
"""Labels within the evaluator: hashable, and the hash is computed once."""

NAME: Final = "__name__"
METADATA: Final = frozenset({NAME, "__type__", "__unit__"})
"""What Prometheus 3 takes away from the result of a function or operator, and leaves out of matching by default."""

_STALE_BYTES: Final = struct.pack("<Q", 0x7FF0000000000002)
STALE: Final[float] = struct.unpack("<d", _STALE_BYTES)[0]
"""Prometheus' stale marker: a NaN of its own that says "this series has ended"."""


def is_stale(value: float) -> bool:
    """Whether a value is the stale marker; an ordinary NaN is not."""
    return value != value and struct.pack("<d", value) == _STALE_BYTES  # noqa: PLR0124 - NaN alone differs from itself


class LabelSet(dict[str, str]):
    """Labels that carry their key, so that it is computed once a series. Not to be changed."""

    __slots__ = ("key",)

    def __init__(self, labels: Labels) -> None:
        super().__init__((name, value) for name, value in sorted(labels.items()) if value)
        self.key: Key = frozenset(self.items())


def key_of(labels: Labels) -> Key:
    """The labels as a key."""
    if type(labels) is LabelSet:
        return labels.key
    return frozenset(pair for pair in labels.items() if pair[1])


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one label set, oldest first: seconds since 1970 in whole milliseconds, and values."""

    labels: Labels
    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of a result."""

    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; `pattern` is the regular expression of `=~` and `!~`."""

    name: str
    op: Literal["=", "!=", "=~", "!~"]
    value: str
    pattern: re.Pattern[str] | None = field(default=None, compare=False)

    def matches(self, value: str) -> bool:
        """Whether a label's value fulfils it; a label that is not there has the value ""."""
        if self.pattern is None:
            return (value == self.value) is (self.op == "=")
        return (self.pattern.fullmatch(value) is not None) is (self.op == "=~")


class Storage(Protocol):
    """Where the samples are."""

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Sequence[Series]:
        """Every series that fulfils all matchers, with its samples of start < t <= end (stale markers among them)."""


Vector = list[tuple[Key, float]]


@dataclass(slots=True)
class Context:
    """One evaluation: `at` and `query` in milliseconds; they differ within a subquery only."""

    storage: Storage
    at: int
    query: int


@dataclass(frozen=True, slots=True)
class Window:
    """What a range selector covers: start < t <= end; `at` is when the evaluation happens. Milliseconds."""

    start: int
    end: int
    at: int


Needs = Mapping[str | None, int]
"""How far back an expression looks, in milliseconds, by metric name; None: a selector that names no metric."""


@dataclass(frozen=True, slots=True)
class Number:
    """A compiled expression of type scalar."""

    at: Callable[[Context], float]
    needs: Needs


@dataclass(frozen=True, slots=True)
class Instant:
    """A compiled expression of type instant vector; `selected` are its matchers when it is a bare selector."""

    at: Callable[[Context], Vector]
    needs: Needs
    selected: tuple[Matcher, ...] | None = None
    times: Callable[[Context], Vector] | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """A compiled expression of type range vector: the window, and label sets with their samples in it."""

    at: Callable[[Context], list[tuple[Key, Sequence[float], list[float]]]]
    window: Callable[[Context], Window]
    needs: Needs
    selected: tuple[Matcher, ...] | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal."""

    value: str


Node = Number | Instant | Range | Text


def together(*needs: Needs) -> Needs:
    """The needs of several parts as one."""
    merged: dict[str | None, int] = {}
    for each in needs:
        for name, reach in each.items():
            merged[name] = max(reach, merged.get(name, 0))
    return merged
