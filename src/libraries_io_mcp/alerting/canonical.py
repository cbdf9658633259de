"""Expressions in one spelling, to compare what two programs evaluate."""

from functools import lru_cache
from typing import Final

import promql_parser

_KEPT: Final = 2048


@lru_cache(maxsize=_KEPT)
def canonical(text: str) -> str:
    """The expression as the parser prints it; with single spaces when the parser can't read it."""
    try:
        return str(promql_parser.parse(text))
    except ValueError:
        return " ".join(text.split())
