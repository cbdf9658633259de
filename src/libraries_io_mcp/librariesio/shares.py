"""A caller's fair share of the quota: what of a window is kept for the others while one of them wants it all."""

import math
from collections import Counter
from collections.abc import Iterable


class Shares:
    """Who was given how many requests in this window and in the one before.

    Only callers that were given some, or that wait, count: that bounds how many are remembered. The empty name is
    nobody in particular, such as health's probe: nothing is kept for it.
    """

    def __init__(self) -> None:
        self._window = -1
        self._given: Counter[str] = Counter()
        self._before: frozenset[str] = frozenset()

    def give(self, caller: str, window: int) -> None:
        """A caller was given one request of a window, which is this one or a new one."""
        self._enter(window)
        self._given[caller] += 1

    def kept_for_others(self, caller: str, window: int, *, allowed: int, left: float, waiting: Iterable[str]) -> int:
        """Requests that `caller` must leave; 0 while it has not used up its own share.

        `allowed` is what the window allows, `left` the part of it that is still to come, 0 to 1. What is kept for one
        shrinks with the window, so that nothing is lost but one request each, and one that spreads its share over the
        window always finds it.
        """
        self._enter(window)
        others = {*self._given, *self._before, *waiting} - {caller, ""}
        share = max(allowed // (len(others) + 1), 1)
        if not others or self._given[caller] < share:
            return 0
        most = math.ceil(share * min(max(left, 0.0), 1.0))
        return sum(min(max(share - self._given[other], 0), most) for other in others)

    def _enter(self, window: int) -> None:
        if window != self._window:
            # Windows are numbered by a clock that may be set: one that is not the next one ends what was known.
            self._before = frozenset(self._given) if window == self._window + 1 else frozenset()
            self._window, self._given = window, Counter()
