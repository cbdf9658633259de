"""Faults that can be switched on: which, for which paths, how often, how many times."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import TypedDict

FAULT_NAMES = (
    "accepted",
    "bad_gateway_slow",
    "forbidden_json",
    "forbidden_text",
    "html",
    "huge",
    "not_found",
    "null",
    "rate_limited",
    "rate_limited_bare",
    "read_only",
    "redirect",
    "reset",
    "server_error",
    "slow_body",
    "timeout",
    "truncated",
    "wrong_types",
)
"""What each does is said in `fault_actions.py`."""

# A colon separates options only before the name of one: paths hold colons too.
_OPTION = re.compile(r":(?=(?:path|rate|count|delay|size)=)")


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: one of `FAULT_NAMES`.
        path: the paths it is for, as sent, with `*` and `?` as in file names: `/api/npm/*`.
        rate: the share of those requests that it strikes, above 0 and up to 1: 0.25 is every fourth.
        count: after how many strikes it stops; None for never.
        delay: seconds; of what, depends on the fault. None for the fault's own default.
        size: bytes of a huge body.
    """

    name: str
    path: str = "*"
    rate: float = 1.0
    count: int | None = None
    delay: float | None = None
    size: int = 64 * 1024 * 1024

    def __post_init__(self) -> None:
        """Raises `ValueError` for what makes no sense."""
        if self.name not in FAULT_NAMES:
            raise ValueError(f"unknown fault {self.name!r}; known are {', '.join(FAULT_NAMES)}")
        if not 0 < self.rate <= 1:
            raise ValueError(f"rate of {self.name} is {self.rate}; allowed is above 0 and up to 1")
        if (self.count is not None and self.count < 1) or not 0 <= (self.delay or 0) < math.inf or self.size < 1:
            raise ValueError(f"count and size of {self.name} must be 1 or more, delay 0 or more")


class FaultReport(TypedDict):
    """An active fault and how often it has struck."""

    name: str
    path: str
    rate: float
    count: int | None
    delay: float | None
    struck: int


def parse_fault(text: str) -> Fault:
    """`NAME[:path=...][:rate=...][:count=...][:delay=...][:size=...]`, in any order.

    Raises:
        ValueError: one line that says what is wrong.
    """
    name, *options = _OPTION.split(text)
    return make_fault({"name": name, **dict(option.split("=", 1) for option in options)})


def make_fault(values: Mapping[str, object]) -> Fault:
    """A fault from texts or numbers by the names of its attributes.

    Raises:
        ValueError: an unknown name, or a value that can't be read.
    """
    readers = {"name": str, "path": str, "rate": float, "count": int, "delay": float, "size": int}
    unknown = set(values) - {field.name for field in fields(Fault)}
    if unknown or "name" not in values:
        raise ValueError(f"a fault has name, path, rate, count, delay and size, not {', '.join(sorted(unknown))}")
    arguments = {}
    for name, value in values.items():
        try:
            arguments[name] = readers[name](str(value))
        except ValueError as error:
            raise ValueError(f"{name}={value} of fault {values['name']} is not a number") from error
    return Fault(**arguments)


class _Active:
    """A fault that is on."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.struck = 0
        self._due = 0.0

    def strikes(self, path: str) -> bool:
        """Whether it strikes this request: evenly spread, without chance, so that runs can be repeated."""
        if self.struck == self.fault.count or not fnmatchcase(path, self.fault.path):
            return False
        self._due += self.fault.rate
        if self._due < 1 - 1e-9:
            return False
        self._due -= 1
        self.struck += 1
        return True


class Switchboard:
    """The faults that are on, in the order in which they were switched on."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._active = [_Active(fault) for fault in faults]

    def add(self, fault: Fault) -> None:
        self._active.append(_Active(fault))

    def clear(self) -> None:
        self._active.clear()

    def choose(self, path: str) -> Fault | None:
        """The first fault that strikes this request."""
        return next((active.fault for active in self._active if active.strikes(path)), None)

    def report(self) -> list[FaultReport]:
        return [
            {
                "name": active.fault.name,
                "path": active.fault.path,
                "rate": active.fault.rate,
                "count": active.fault.count,
                "delay": active.fault.delay,
                "struck": active.struck,
            }
            for active in self._active
        ]
