"""What an answer is: a pydantic model that reaches the client once as structured content and once as a short text.

Texts from upstream are data, written by anybody: they lose control characters and line breaks, and have an end.
"""

import re
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, field_validator

from libraries_io_mcp.answer.provenance import Provenance

LONGEST_TEXT: Final = 600
MOST_WORDS: Final = 40
_BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""What a person does not see and a model reads: joiners, marks of direction, fillers, tags, variation selectors."""


def shown(number: int | None) -> str:
    """A count for a text form; what is not known is not shown as 0."""
    return "unknown" if number is None else str(number)


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 package, 2 packages, 1 dependency, 0 dependencies."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """One line of at most `longest` characters, without control and invisible characters; "…" ends a cut one."""
    line = text[: 4 * LONGEST_TEXT]
    if not line.isascii():
        line = _INVISIBLE.sub("", line)
    line = _BLANK.sub(" ", line).strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def short(text: str | None, longest: int) -> str | None:
    """The same for a text that may be unknown."""
    return None if text is None else plain(text, longest)


class Part(BaseModel):
    """A part of an answer. Its texts are made plain; of a list of words the first 40 are taken, and it says so."""

    # Built at the first answer that needs it, not at the start.
    model_config = ConfigDict(frozen=True, defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        if isinstance(value, str):
            return plain(value)
        if isinstance(value, tuple) and value and all(isinstance(word, str) for word in value):
            more = (f"… {len(value) - MOST_WORDS} more",) if len(value) > MOST_WORDS else ()
            return *(plain(word) for word in value[:MOST_WORDS]), *more
        if isinstance(value, dict):
            return {plain(str(key)): cls._plain(item) for key, item in value.items()}
        return value


class Answer(Part):
    """An answer of a tool."""

    @abstractmethod
    def text(self) -> str:
        """The answer in a few plain lines; provenance and what was cut off are added by the border."""


class SourcedAnswer(Answer):
    """An answer that Libraries.io gave."""

    provenance: Provenance


class LongAnswer(Answer):
    """An answer that may be cut. The question returns all of it; the border cuts and continues."""

    truncated: bool = False
    left_out: int | None = 0
    """How many; `None`: unknown."""
    cursor: str | None = None

    @abstractmethod
    def items(self) -> tuple[BaseModel, ...]:
        """What may be left out, in the order of the answer."""

    @abstractmethod
    def part(self, start: int, end: int) -> Self:
        """The same answer with these items only."""


class ListAnswer(LongAnswer, SourcedAnswer):
    """An answer with one list that may be cut.

    `listed` names the field that holds the list; override `listed_field` where that differs from case to case.
    """

    listed: ClassVar[str]

    def listed_field(self) -> str:
        """The name of the field that holds the list."""
        return self.listed

    def items(self) -> tuple[BaseModel, ...]:
        """What the list holds."""
        return tuple(getattr(self, self.listed_field()))

    def part(self, start: int, end: int) -> Self:
        """The same answer with these items of its list only."""
        return self.model_copy(update={self.listed_field(): self.items()[start:end]})


class PagedAnswer(ListAnswer):
    """A list of which Libraries.io gives one page at a time."""

    page: int
    per_page: int
    total: int | None
    """`None`: Libraries.io did not say."""
    has_more: bool
    """Whether a further page can be had."""


def more_pages(found: int, page: int, per_page: int, total: int | None) -> bool:
    """Whether the next page may hold something: `found` items came on this one."""
    return found >= per_page and (total is None or page * per_page < total)


def lines(*parts: str | None, then: Iterable[str] = ()) -> str:
    """A text form out of its lines; those that are `None` or empty are left out."""
    return "\n".join(part for part in (*parts, *then) if part)
