"""One licence text to its alternatives, by way of the `license-expression` library.

An alternative is a set of licences that apply together; of several alternatives the user picks one.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from libraries_io_mcp.licences.catalogue import CATALOGUE
from libraries_io_mcp.licences.exception_terms import with_exception
from libraries_io_mcp.licences.spelling import Spelling, spelled
from libraries_io_mcp.licences.terms import Licence

MAX_TEXT: Final = 1_000
MAX_WORDS: Final = 60
MAX_ALTERNATIVES: Final = 24
MAX_TOGETHER: Final = 24
_WORD: Final = re.compile(r"\b(?:and|or|with)\b|[()]", re.IGNORECASE)
_CHOICE: Final = re.compile(r"\s*[/|]\s*")
_TOGETHER: Final = re.compile(r"\s*[,;&](?![^()]*\))\s*")

Together = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How one licence text was understood.

    Attributes:
        said: the text as given, shortened to 200 characters.
        read_as: the SPDX expression it was read as; `None` if it could not be read.
        note: what was translated or assumed, or why it could not be read; empty for plain SPDX.
        alternatives: each a set of licence names that apply together; names without known terms among them.
        unknown: the names without known terms.
    """

    said: str
    read_as: str | None
    note: str
    alternatives: tuple[Together, ...]
    unknown: tuple[str, ...]


def read_licence(text: str) -> Reading:
    """The reading of one licence text; never raises."""
    said = text.strip()[:200]
    if len(text) > MAX_TEXT or len(_WORD.findall(text)) > MAX_WORDS:
        return _unread(said, "the text is too long for a licence expression")
    known = None if _listed(said) else spelled(text)
    if known:
        return _from_spelling(said, known)
    parsed = _parsed(text)
    if parsed is None:
        return _from_list(said, text) or _unread(said, "neither an SPDX expression nor a name that we know")
    notes: list[str] = []
    return _from_tree(said, _parsed(_translated(parsed, notes)), "; ".join(notes)[:500])


def licence_named(name: str) -> Licence | None:
    """The terms of "ID" or "ID WITH exception"; `None` if we do not know them."""
    base, _, exception = name.partition(" WITH ")
    licence = CATALOGUE.get(base)
    return with_exception(licence, exception) if licence and exception else licence


def is_known(name: str) -> bool:
    """Whether one name is on the SPDX list, in any letter case, or another name of a licence that is."""
    meant = spelled(name)
    return _listed(name.strip()) is not None or (meant is not None and _listed(meant.spdx or "") is not None)


def _from_spelling(said: str, known: Spelling) -> Reading:
    if known.spdx is None:
        return _unread(said, known.note)
    tree = _parsed(known.spdx)
    note = "" if known.spdx == said else f"read as {known.spdx}"
    return _from_tree(said, tree, "; ".join(part for part in (note, known.note) if part))


def _from_list(said: str, text: str) -> Reading | None:
    """Lists that people write: a slash offers a choice (Cargo's old form), a comma is read strictly as "and"."""
    if _CHOICE.search(text) and not _TOGETHER.search(text) and not _WORD.search(text):
        pattern, word, meaning = _CHOICE, " OR ", "a list by slashes is read as a choice"
    else:
        pattern, word, meaning = _TOGETHER, " AND ", "a list by commas is read strictly: all of them apply"
    parts = [part for part in pattern.split(text.strip()) if part]
    if not 1 < len(parts) <= MAX_TOGETHER:
        return None
    readings = [read_licence(part) for part in parts]
    joined = word.join(f"({reading.read_as or _reference(reading.said)})" for reading in readings)
    notes = [f"{reading.said}: {reading.note}" for reading in readings if reading.note]
    tree = _parsed(joined)
    return None if tree is None else _from_tree(said, tree, "; ".join([meaning, *notes])[:500])


def _translated(tree: Any, notes: list[str]) -> str:
    """The expression with every name in its SPDX spelling, as far as it has one."""
    operator = getattr(tree, "operator", "").strip()
    if operator in {"AND", "OR"}:
        return f" {operator} ".join(f"({_translated(part, notes)})" for part in tree.args)
    exception = getattr(tree, "exception_symbol", None)
    name = _spdx_name(tree.license_symbol.key if exception else tree.key, notes)
    return f"{name} WITH {_listed(exception.key) or exception.key}" if exception else name


def _spdx_name(key: str, notes: list[str]) -> str:
    """One name inside an expression. A compound meaning is put in brackets by the caller."""
    listed = _listed(key) or (key if key in CATALOGUE else None)
    if listed:
        return listed
    known = spelled(key)
    if known is None and key.endswith("+") and (base := _listed(key[:-1])):
        known = Spelling(base, f"read as {base}: a later version is the receiver's choice")
    if known is None:
        notes.append(f"{key}: not on the SPDX list")
        return key
    meaning = known.spdx or _reference(key)
    notes.append(f"{key}: {known.note or 'read as ' + meaning}")
    return meaning


def _from_tree(said: str, tree: Any, note: str) -> Reading:
    alternatives = _alternatives(tree)
    if alternatives is None:
        return _unread(said, "the expression has too many alternatives")
    names = dict.fromkeys(name for together in alternatives for name in together)
    unknown = tuple(name for name in names if licence_named(name) is None)
    return Reading(said, str(tree.render()), note, alternatives, unknown)


def _unread(said: str, why: str) -> Reading:
    name = said or "(no text)"
    return Reading(said, None, why, ((name,),), (name,))


def _alternatives(tree: Any) -> tuple[Together, ...] | None:
    """The disjunctive normal form, in the order of the text; `None` if it grows beyond the limits."""
    operator = getattr(tree, "operator", "").strip()
    if operator not in {"AND", "OR"}:
        return ((_name(tree),),)
    found: list[Together] = [] if operator == "OR" else [()]
    for part in tree.args:
        inner = _alternatives(part)
        if inner is None:
            return None
        if operator == "OR":
            found += inner
        else:
            found = [tuple(dict.fromkeys(left + right)) for left in found for right in inner]
        if len(found) > MAX_ALTERNATIVES or any(len(together) > MAX_TOGETHER for together in found):
            return None
    return tuple(dict.fromkeys(found))


def _name(symbol: Any) -> str:
    return str(symbol.render())[:200]


def _reference(text: str) -> str:
    return "LicenseRef-" + (re.sub(r"[^A-Za-z0-9.]+", "-", text)[:60].strip("-") or "empty")


def _parsed(text: str) -> Any:
    """The syntax tree, or `None`.

    Parsed without a list of known names: with one, the library takes "GPL" for GPL-1.0-or-later, and stumbles over
    "MIT License OR ...". Names are looked up afterwards.
    """
    from license_expression import Licensing  # noqa: PLC0415  start-up time

    try:
        return Licensing().parse(text)
    except Exception:
        # Beside its own errors its parser (boolean.py) lets out IndexError for "()0", AssertionError for "( or x", ...
        return None


def _listed(name: str) -> str | None:
    """The spelling of the SPDX list; `None` if the name, in any letter case, is not on it."""
    symbol = _known_symbols().get(name.lower())
    return str(symbol.key) if symbol else None


@cache
def _known_symbols() -> dict[str, Any]:
    """The library's SPDX list, loaded once: reading its index takes some tens of milliseconds."""
    from license_expression import get_spdx_licensing  # noqa: PLC0415  start-up time

    symbols: dict[str, Any] = get_spdx_licensing().known_symbols_lowercase
    return symbols
