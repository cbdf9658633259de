"""The opaque text with which a cut list goes on: where it stopped, of which question, beside which neighbours."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from libraries_io_mcp.errors import InvalidRequestError

LONGEST_CURSOR: Final = 200
START_ANEW: Final = "Leave `cursor` out to start anew."


class Cursor(BaseModel):
    """Where a list goes on.

    Attributes:
        q: fingerprint of the question that the list answers.
        p: page of Libraries.io, from 1; 0 for lists that come whole.
        s: items of that page (or list) that were shown already.
        n: fingerprint of the neighbours of that place; empty at the start of a page.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    q: str = Field(max_length=16)
    p: int = Field(ge=0, le=100_000)
    s: int = Field(ge=0, le=10_000_000)
    n: str = Field(max_length=16)

    def encode(self) -> str:
        """The text for the client."""
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode().rstrip("=")

    def check(self, items: Sequence[BaseModel]) -> None:
        """Refuse to go on in a list that is not the one that was cut.

        Raises:
            InvalidRequestError: the list has changed.
        """
        if self.s and (self.s >= len(items) or self.n != neighbours(items, self.s)):
            raise InvalidRequestError("The list has changed since this cursor was given.", next_step=START_ANEW)


def decode(text: str, question: str) -> Cursor:
    """The cursor that `encode` made for the question with this fingerprint.

    Raises:
        InvalidRequestError: it is no cursor of ours, or one of another question.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = Cursor.model_validate_json(raw)
    except (ValueError, ValidationError):
        raise InvalidRequestError("This `cursor` is none of this server's.", next_step=START_ANEW) from None
    if cursor.q != question:
        raise InvalidRequestError(
            "This `cursor` belongs to another question.",
            next_step=f"Call again with the arguments of the call that gave it. {START_ANEW}",
        )
    return cursor


def fingerprint_of_question(tool: str, arguments: Mapping[str, Any]) -> str:
    """What tells one question from another: the tool and all its arguments, defaults included."""
    return _digest([tool, sorted(arguments.items())])


def neighbours(items: Sequence[BaseModel], place: int) -> str:
    """What tells whether a list is still the same around a place inside it."""
    return _digest([len(items), items[place - 1], items[place]])


def _digest(value: Any) -> str:
    return hashlib.sha256(to_json(value)).hexdigest()[:12]
