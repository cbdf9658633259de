"""Which alternative to take of each licence text, so that the worst finding is as mild as possible."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from libraries_io_mcp.licences.expression import Together
from libraries_io_mcp.licences.terms import STRICTNESS, Verdict

BUDGET: Final = 5_000
"""Steps of the search for each verdict. Without a bound, texts with alternatives multiply without end."""

Judge = Callable[[str, str, bool], Verdict]
"""The verdict on two names; on one by itself if both are the same; `True` if the second is the project's own."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One alternative a text, in their order; `exhaustive` is `False` if a milder choice may have been missed."""

    alternatives: tuple[Together, ...]
    exhaustive: bool


def mildest(texts: Sequence[tuple[Together, ...]], judge: Judge, *, project: bool) -> Chosen:
    """The choice with the mildest worst verdict; of equal ones the first in the order of the texts.

    Args:
        texts: the alternatives of each text.
        judge: asked once for each question.
        project: whether the last text is the project's own licence.
    """
    search = _Search(texts, judge, len(texts) - 1 if project else -1)
    exhaustive = True
    for limit in range(len(STRICTNESS)):
        search.limit, search.steps = limit, 0
        if search.possible() and search.place(0):
            break
        exhaustive = exhaustive and search.steps <= BUDGET
    return Chosen(tuple(search.taken[index] for index in range(len(texts))), exhaustive)


@dataclass
class _Search:
    """Depth first, texts without a choice before those with many: what can't work is seen early."""

    texts: Sequence[tuple[Together, ...]]
    judge: Judge
    own: int
    limit: int = 0
    steps: int = 0
    taken: dict[int, Together] = field(default_factory=dict)
    order: list[int] = field(init=False)
    known: dict[tuple[str, str, bool], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.order = sorted(range(len(self.texts)), key=lambda index: len(self.texts[index]))

    def possible(self) -> bool:
        """Whether each text by itself has an alternative within the limit: most hopeless searches end here."""
        return all(
            any(self._stands(together) for together in alternatives)
            for index, alternatives in enumerate(self.texts)
            if index != self.own
        )

    def place(self, depth: int) -> bool:
        """Find alternatives for the texts from this one on; they stay in `taken` if there are any."""
        if depth == len(self.order):
            return True
        index = self.order[depth]
        for together in self.texts[index]:
            self.steps += 1
            if self.steps > BUDGET:
                return False
            if self._fits(index, together):
                self.taken[index] = together
                if self.place(depth + 1):
                    return True
                del self.taken[index]
        return False

    def _fits(self, index: int, together: Together) -> bool:
        if index == self.own:
            packages = [name for other in self.taken.values() for name in other]
            return all(self._level(name, own, True) <= self.limit for own in together for name in packages)
        outside = [
            (name, other, taken == self.own)
            for taken, others in self.taken.items()
            for other in others
            for name in together
        ]
        return self._stands(together) and all(self._level(*question) <= self.limit for question in outside)

    def _stands(self, together: Together) -> bool:
        alone = [(name, name, False) for name in together]
        inside = [(*names, False) for names in combinations(together, 2)]
        return all(self._level(*question) <= self.limit for question in (*alone, *inside))

    def _level(self, first: str, second: str, project: bool) -> int:
        question = (first, second, project)
        if question not in self.known:
            self.known[question] = STRICTNESS.index(self.judge(*question))
        return self.known[question]
