"""Regular expressions: those whose meaning is the same in Go's RE2 and in Python."""

import re
from typing import Final

from libraries_io_mcp.alerting.promql.errors import BadPromQL, UnsupportedPromQL

_ESCAPES: Final = frozenset(r"dDwWsSbBtnrfv.\+*?()|[]{}^$-/_~!@#%&=:;,<>'`" + '"')
_GROUPS: Final = re.compile(r"\(\?(?!:|P<\w+>)")
_REPEATED: Final = re.compile(r"[*+?}]\+")
_COUNT: Final = re.compile(r"\{,|\{\d*,?\d{4,}")
_ENDED: Final = re.compile(r"\$(?=[^|)])")
_CLASS: Final = re.compile(r"\[[^\]]*(?:\[|&&|\|\||~~|--)")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def compiled(text: str) -> re.Pattern[str]:
    """The pattern, to be used with `fullmatch`, as Prometheus anchors every one at both ends.

    Raises UnsupportedPromQL for what Python reads otherwise than RE2, BadPromQL for what neither can read.
    """
    bare = _ESCAPED.sub("", text)
    odd = next((found for found in _ESCAPED.findall(text) if found not in _ESCAPES), None)
    if odd is not None:
        raise UnsupportedPromQL(f"\\{odd} in a regular expression", "Go and Python read it differently")
    for kind in (_GROUPS, _REPEATED, _COUNT, _ENDED, _CLASS):
        if found := kind.search(bare):
            raise UnsupportedPromQL(f"{found[0]} in a regular expression", "Go and Python read it differently")
    try:
        return re.compile(text, re.ASCII | re.DOTALL)
    except re.error as error:
        raise BadPromQL(f"not a regular expression: {text!r}: {error}") from error
