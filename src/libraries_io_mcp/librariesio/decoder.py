"""Reads a reply leniently: one odd value costs that value, and never the whole answer.

A reply that fits its model takes the fast way. Of any other, whatever the validator points at is taken out (a field
becomes unknown, an item of a list is lost) and what is left is read again, until it fits or its container is gone.

The service is not ours and changes without notice; what was taken out is a `Deviation`, so that it can be said.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

MOST_ROUNDS: Final = 24
"""A fault deep in a tree goes up one level a round: 16 levels, each a list and its items at most."""
MOST_ERRORS: Final = 10_000
"""More faults than this, and it is no reply of the promised form."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_MISSING: Final = "missing"

Deviations = Mapping[str, int]
"""How many values of each field could not be read, by the field's path without numbers, such as `versions.number`."""
NONE: Final[Deviations] = MappingProxyType({})


@cache
def decoder(model: Any) -> TypeAdapter[Any]:
    """The validator of a model or of a tuple of them, built at its first use."""
    return TypeAdapter(model)


def decode(model: Any, content: bytes) -> tuple[Any, Deviations]:
    """The reply as the model has it, and what had to be taken out of it for that.

    Raises:
        ValueError: it is no JSON, or what is left when all unreadable parts are gone is not what the model is about.
    """
    content = content.removeprefix(_BYTE_ORDER_MARK)
    validator = decoder(model)
    try:
        data = validator.validate_json(content)
    except ValidationError as error:
        if error.error_count() > MOST_ERRORS:
            raise ValueError("too much of it can't be read: not the promised form") from None
        return _repaired(validator, _document(content))
    except RecursionError:
        raise ValueError("too deep to be the promised form") from None
    if isinstance(data, BaseModel) and _says_nothing(data):
        raise ValueError("nothing of the promised form")
    return data, NONE


def _document(content: bytes) -> Any:
    try:
        # Half a surrogate pair is no text: nothing could send it on. It becomes a question mark.
        return json.loads(json.dumps(json.loads(content), ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        raise ValueError("no JSON, so not the promised form") from None


def _repaired(validator: TypeAdapter[Any], document: Any) -> tuple[Any, Deviations]:
    deviations: Counter[str] = Counter()
    for number in range(MOST_ROUNDS):
        try:
            data = validator.validate_python(document)
            if _says_nothing(data):
                break
            return data, dict(deviations)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
        targets = {_target(document, fault): fault for fault in faults}
        if () in targets:
            break
        if not number:
            # What comes later follows from what was taken out before.
            deviations.update(_name(path, fault) for path, fault in targets.items())
        _take_out(document, targets)
    raise ValueError("not the promised form")


class _Gone:
    """Stands in a list where an item was."""


_GONE: Final = _Gone()


def _target(document: Any, fault: ErrorDetails) -> tuple[Any, ...]:
    """The path of what is to be taken out: what can't be read, or what lacks a part that it can't be without."""
    path: list[Any] = []
    part = document
    for step in fault["loc"]:
        # After the data's own steps come the validator's: which member of a union it tried.
        if not _holds(part, step):
            break
        part = part[step]
        path.append(step)
    return tuple(path)


def _says_nothing(data: Any) -> bool:
    """Whether nothing is left of it: then an older answer, or an error, says more."""
    if isinstance(data, tuple):
        return all(_says_nothing(item) for item in data)
    return data is None or (isinstance(data, BaseModel) and all(value is None for value in vars(data).values()))


def _holds(part: Any, step: Any) -> bool:
    if isinstance(part, list):
        return isinstance(step, int) and step < len(part)
    return isinstance(part, dict) and step in part


def _take_out(document: Any, paths: Iterable[tuple[Any, ...]]) -> None:
    shrunk: list[list[Any]] = []
    for *way, last in paths:
        try:
            holder = _at(document, way)
            if isinstance(holder, dict):
                holder.pop(last, None)
            elif holder[last] is None:
                holder[last] = _GONE
                shrunk.append(holder)
            else:
                # Where the place of an item counts (many packages in one reply), the model has room for an unknown one.
                holder[last] = None
        except (KeyError, IndexError, TypeError):
            continue  # it went with something above it
    # Only now, so that the numbers of items were right until here.
    for holder in shrunk:
        holder[:] = [item for item in holder if item is not _GONE]


def _at(document: Any, path: Iterable[Any]) -> Any:
    for step in path:
        document = document[step]
    return document


def _name(path: tuple[Any, ...], fault: ErrorDetails) -> str:
    steps = [step for step in path if isinstance(step, str)]
    if fault["type"] == _MISSING:
        steps.append(str(fault["loc"][-1]))
    return ".".join(steps) or "[]"
