"""A caller's fair share of the quota: what of a window is kept for the others while one of them wants it all."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

NAME_BYTES = 8
"""Of the digest by which a caller is called among processes: a token's name or an address is nobody else's business."""


@dataclass(frozen=True, slots=True)
class Told:
    """What another process said of its callers: how many requests each was given in a window, and who asked before."""

    window: int
    given: Counter[str]
    before: frozenset[str]


class Shares:
    """Who was given how many requests in this window and in the one before, here and by the other processes.

    Only callers that were given some, or that wait, count: that bounds how many are remembered. The empty name is
    nobody in particular, such as health's probe: nothing is kept for it.
    """

    def __init__(self) -> None:
        self._window = -1
        self._given: Counter[str] = Counter()
        self._before: frozenset[str] = frozenset()
        self._elsewhere: tuple[Told, ...] = ()

    def give(self, caller: str, window: int) -> None:
        """A caller was given one request of a window, which is this one or a new one."""
        self._enter(window)
        self._given[_name(caller)] += 1

    def kept_for_others(self, caller: str, window: int, *, allowed: int, left: float, waiting: Iterable[str]) -> int:
        """Requests that `caller` must leave; 0 while it has not used up its own share.

        `allowed` is what the window allows, `left` the part of it that is still to come, 0 to 1. What is kept for one
        shrinks with the window, so that nothing is lost but one request each, and one that spreads its share over the
        window always finds it.
        """
        self._enter(window)
        name, given = _name(caller), self._given_everywhere()
        others = {*given, *self._before_everywhere(), *map(_name, waiting)} - {name, ""}
        share = max(allowed // (len(others) + 1), 1)
        if not others or given[name] < share:
            return 0
        most = math.ceil(share * min(max(left, 0.0), 1.0))
        return sum(min(max(share - given[other], 0), most) for other in others)

    def tell(self, waiting: Iterable[str]) -> str:
        """What the other processes should know of the callers here; `waiting` are those that wait now."""
        given = {**{_name(caller): 0 for caller in waiting}, **self._given}
        given.pop("", None)
        return json.dumps({"window": self._window, "given": given, "before": sorted(self._before - {""})})

    def hear(self, told: Iterable[str]) -> None:
        """What all other processes have told. What can't be read is left out: it comes from another version."""
        self._elsewhere = tuple(each for text in told if (each := _read(text)) is not None)

    def _given_everywhere(self) -> Counter[str]:
        found = Counter(self._given)
        for told in self._elsewhere:
            if told.window == self._window:
                # Not `+=`, which would lose those that wait and were given none.
                found.update(told.given)
        return found

    def _before_everywhere(self) -> set[str]:
        found = set(self._before)
        for told in self._elsewhere:
            if told.window == self._window:
                found |= told.before
            elif told.window == self._window - 1:
                found |= told.given.keys()
        return found

    def _enter(self, window: int) -> None:
        if window != self._window:
            # Windows are numbered by a clock that may be set: one that is not the next one ends what was known.
            self._before = frozenset(self._given) if window == self._window + 1 else frozenset()
            self._window, self._given = window, Counter()


@lru_cache(maxsize=1_024)
def _name(caller: str) -> str:
    return hashlib.blake2b(caller.encode(), digest_size=NAME_BYTES).hexdigest() if caller else ""


def _read(text: str) -> Told | None:
    try:
        told = json.loads(text)
        given = Counter({str(name): int(count) for name, count in told["given"].items()})
        return Told(int(told["window"]), given, frozenset(map(str, told["before"])))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
