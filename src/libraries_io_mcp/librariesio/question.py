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
        deadline: when nobody waits for the answer any more, by a clock that never jumps.
        method: the HTTP method.
        repeatable: whether sending it twice does no harm.
        resends: how often it was sent again so far, after faults and redirects.
        caller: who asks, if several share the quota: callers take turns.
        waited: seconds that the present attempt waited for the quota.
        sent: the present attempt is with the service; false while it waits for its turn.
    """

    endpoint: str
    group: str
    deadline: float
    names: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    repeatable: bool = True
    priority: Priority = "interactive"
    on_wait: OnWait | None = None
    caller: str = ""
    resends: int = 0
    waited: float = 0.0
    sent: bool = False


def question_of(request: httpx.Request) -> Question:
    """The question that a request belongs to."""
    question = request.extensions[EXTENSION]
    if not isinstance(question, Question):
        raise TypeError("the request was not made by LibrariesIOClient")
    return question
