"""What the transports know about the question they carry: it travels in `request.extensions`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

import httpx

EXTENSION: Final = "libraries_io.question"

Priority = Literal["interactive", "batch"]
OnWait = Callable[[float, int], None]
"""Told while a question waits for the quota: seconds left, and how many questions are ahead of it."""


@dataclass(slots=True)
class Question:
    """One question on its way, its repeats and redirects included.

    Attributes:
        endpoint: the path template, such as `/{platform}/{name}`.
        group: endpoints that share a circuit breaker.
        names: the values of the template's placeholders.
        deadline: epoch seconds after which nobody waits for the answer any more.
        repeatable: whether sending it twice does no harm.
        resends: how often it was sent again so far.
        waited: seconds that the present attempt waited for the quota.
    """

    endpoint: str
    group: str
    deadline: float
    names: dict[str, str] = field(default_factory=dict)
    repeatable: bool = True
    priority: Priority = "interactive"
    on_wait: OnWait | None = None
    resends: int = 0
    waited: float = 0.0


def question_of(request: httpx.Request) -> Question:
    """The question that a request belongs to."""
    question = request.extensions[EXTENSION]
    if not isinstance(question, Question):
        raise TypeError("the request was not made by LibrariesIOClient")
    return question
