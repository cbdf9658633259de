"""Derived label sets, remembered: the same series come at every evaluation."""

from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

from libraries_io_mcp.alerting.promql.errors import same_labels
from libraries_io_mcp.alerting.promql.model import METADATA, Key, Vector

_From = TypeVar("_From")
_To = TypeVar("_To")

_REMEMBERED: Final = 10_000


class Memo(dict[_From, _To], Generic[_From, _To]):
    """What a pure function gave, by argument; forgets all when it holds 10,000, so that churn cannot fill memory."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[_From], _To]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, argument: _From) -> _To:
        if len(self) >= _REMEMBERED:
            self.clear()
        made = self[argument] = self._make(argument)
        return made


def nameless(key: Key) -> Key:
    """Without the metric's name, type and unit."""
    return without(key, METADATA)


def only(key: Key, names: Iterable[str]) -> Key:
    """Only the labels of these names."""
    kept = frozenset(names)
    return frozenset(pair for pair in key if pair[0] in kept)


def without(key: Key, names: Iterable[str]) -> Key:
    """All but the labels of these names; the same object when there is none of them."""
    dropped = frozenset(names)
    kept = [pair for pair in key if pair[0] not in dropped]
    return key if len(kept) == len(key) else frozenset(kept)


def label(key: Key, name: str) -> str:
    """The value of a label; empty when it is not there."""
    return next((pair[1] for pair in key if pair[0] == name), "")


def labelled(key: Key, name: str, value: str) -> Key:
    """With a label set; an empty value takes it away."""
    rest = [pair for pair in key if pair[0] != name]
    return frozenset([*rest, (name, value)]) if value else frozenset(rest)


def distinct(vector: Vector) -> Vector:
    """The vector as it is. Raises EvaluationError when two elements have the same labels."""
    if len(vector) > 1 and len({key for key, _ in vector}) != len(vector):
        raise same_labels()
    return vector
