"""What the transports know about the question they carry: it travels in `request.extensions`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

import httpx

EXTENSION: Final = "libraries_io.question"

Priority = Literal["interactive", "batch"]
OnWait = Callable[[float, int | None], None]
"""Told while a question waits: seconds left, and how many questions are ahead of it in the line for the quota; `None`:
the service is still making the answer."""


def wait_in_words(seconds_left: float, ahead: int | None) -> str:
    """What `OnWait` is told, as a sentence."""
    if ahead is None:
        return f"Libraries.io is still making the answer; it is asked again in {seconds_left:.0f} s."
    return f"Waiting for the Libraries.io quota: {seconds_left:.0f} s left, {ahead} calls ahead."


@dataclass(slots=True)
class Question:
    """One question on its way, its repeats and redirects included, and for whom it is asked.

    Attributes:
        endpoint: the path template, such as `/{platform}/{name}`.
        group: endpoints that share a circuit breaker.
        names: the values of the template's placeholders.
        deadline: when nobody waits for the answer any more, by a clock that never jumps.
        method: the HTTP method.
        repeatable: whether sending it twice does no harm.
        priority: the highest of those for whom it is asked.
        on_wait: who of them asked first wants to hear of waits.
        resends: how often it was sent again so far, after faults and redirects.
        requests: how many were sent so far, each counted by the quota.
        caller: who asks, if several share the quota: callers take turns.
        waited: seconds that the present attempt waited for the quota.
        turn_at: when its turn at the quota is expected, while it waits for that.
        failed: an attempt has failed, which the circuit breaker has counted.
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
    requests: int = 0
    waited: float = 0.0
    turn_at: float | None = None
    failed: bool = False
    sent: bool = False
    _hearers: list[OnWait] = field(default_factory=list, init=False)
    _watchers: list[Callable[[], None]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """The first passenger is aboard."""
        self._hearers = [self.on_wait] if self.on_wait else []

    @property
    def has_hearers(self) -> bool:
        """Whether anybody wants to hear of waits."""
        return bool(self._hearers)

    def tell(self, seconds_left: float, ahead: int | None) -> None:
        """Tell everybody aboard of a wait."""
        for hear in dict.fromkeys(self._hearers):
            hear(seconds_left, ahead)

    def board(self, other: "Question") -> None:
        """Somebody else asks the same: nobody aboard is served worse than if it had asked alone."""
        self.deadline = max(self.deadline, other.deadline)
        if other.priority == "interactive" and self.priority != "interactive":
            self.priority, self.turn_at = "interactive", None
        if other.on_wait:
            self._hearers.append(other.on_wait)
        for changed in tuple(self._watchers):
            changed()

    def leave(self, other: "Question") -> None:
        """One of them has gone and hears no more; the others keep what it brought."""
        if other.on_wait:
            self._hearers.remove(other.on_wait)

    @contextmanager
    def watched(self, changed: Callable[[], None]) -> Iterator[None]:
        """While the block runs, `changed` is called whenever somebody has boarded."""
        self._watchers.append(changed)
        try:
            yield
        finally:
            self._watchers.remove(changed)


def question_of(request: httpx.Request) -> Question:
    """The question that a request belongs to."""
    question = request.extensions[EXTENSION]
    if not isinstance(question, Question):
        raise TypeError("the request was not made by LibrariesIOClient")
    return question
