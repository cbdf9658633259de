"""`label_replace` and `label_join`."""

import re
from collections.abc import Sequence
from typing import Final

from libraries_io_mcp.alerting.promql.labelling import Memo, distinct, label, labelled
from libraries_io_mcp.alerting.promql.model import Context, Instant, Key, Vector

_REFERENCE: Final = re.compile(r"\$(?:(?P<dollar>\$)|(?P<bare>\w+)|\{(?P<braced>\w+)\})")


def replaced(operand: Instant, target: str, template: str, source: str, pattern: re.Pattern[str]) -> Instant:
    """Where the source label matches, the target label becomes the template with its `$1` and `${name}` filled in."""

    def rewrite(key: Key) -> Key:
        match = pattern.fullmatch(label(key, source))
        return key if match is None else labelled(key, target, _expanded(template, match))

    return _rewritten(operand, Memo(rewrite))


def joined(operand: Instant, target: str, separator: str, sources: Sequence[str]) -> Instant:
    """The target label becomes the values of the source labels, joined."""

    def rewrite(key: Key) -> Key:
        return labelled(key, target, separator.join(label(key, source) for source in sources))

    return _rewritten(operand, Memo(rewrite))


def _rewritten(operand: Instant, made: Memo[Key, Key]) -> Instant:
    def at(context: Context) -> Vector:
        return distinct([(made[key], value) for key, value in operand.at(context)])

    return Instant(at, operand.needs)


def _expanded(template: str, match: re.Match[str]) -> str:
    def fill(reference: re.Match[str]) -> str:
        if reference["dollar"]:
            return "$"
        return _group(match, reference["bare"] or reference["braced"])

    return _REFERENCE.sub(fill, template)


def _group(match: re.Match[str], name: str) -> str:
    # A reference to a group that is not there is empty in Go, and so is one with leading zeros.
    if name.isascii() and name.isdigit() and not (name[0] == "0" and len(name) > 1):
        number = int(name)
        return (match[number] or "") if number <= match.re.groups else ""
    return (match[name] or "") if name in match.re.groupindex else ""
