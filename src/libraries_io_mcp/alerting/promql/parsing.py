"""The text of an expression to something that can be evaluated; the syntax is read by the library promql-parser."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import promql_parser

from libraries_io_mcp.alerting.promql.compiling import compile_node
from libraries_io_mcp.alerting.promql.errors import BadPromQL, UnsupportedPromQL
from libraries_io_mcp.alerting.promql.model import Context, Instant, Number, Sample, Storage

_QUOTED: Final = re.compile(r"""#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?P<raw>[^`]*)`""", re.DOTALL)
_HIGH_BYTE: Final = re.compile(r"\\x[89a-fA-F]|\\[23][0-7]{2}")


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression.

    Attributes:
        text: as it was given.
        range_seconds: how far back from its evaluation it looks, the five minutes of an instant selector included.
        needs: the same by metric name; `None` stands for a selector that names no metric.
    """

    text: str
    range_seconds: float
    needs: Mapping[str | None, float]
    _root: Instant | Number

    def at(self, storage: Storage, time: float) -> list[Sample] | float:
        """Its value at a time in seconds: elements of an instant vector, or a number. Raises EvaluationError."""
        moment = round(time * 1000)
        value = self._root.at(Context(storage, moment, moment))
        if isinstance(value, float):
            return value
        return [Sample(dict(key), number) for key, number in value]


def parse(text: str) -> Expression:
    """Read an expression. Raises BadPromQL when Prometheus would not take it, UnsupportedPromQL when we do not."""
    if any("\\" in (found["raw"] or "") for found in _QUOTED.finditer(text)):
        # The library reads escapes between backticks, too, where Prometheus knows none.
        raise UnsupportedPromQL("a backslash between backticks", "write it between double quotes, twice")
    try:
        tree = promql_parser.parse(text)
    except ValueError as error:
        raise BadPromQL(str(error)) from error
    if _HIGH_BYTE.search(text):
        raise UnsupportedPromQL("an escape for a byte above 127", "write the character itself")
    root = compile_node(tree)
    if not isinstance(root, Instant | Number):
        raise BadPromQL("a rule's expression must be an instant vector or a scalar")
    needs = {name: reach / 1000 for name, reach in root.needs.items()}
    return Expression(text, max(needs.values(), default=0.0), MappingProxyType(needs), root)
