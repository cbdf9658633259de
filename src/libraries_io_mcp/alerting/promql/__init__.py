"""Expressions of alerting and recording rules, evaluated as Prometheus 3.16 does (docs/promql.md).

`parse` reads an expression once; `Expression.at` evaluates it over a `Storage`. Pure: the time is an argument.
"""

from libraries_io_mcp.alerting.promql.errors import BadPromQL, EvaluationError, PromQLError, UnsupportedPromQL
from libraries_io_mcp.alerting.promql.model import (
    STALE,
    Labels,
    LabelSet,
    Matcher,
    Sample,
    Series,
    Storage,
    is_stale,
)
from libraries_io_mcp.alerting.promql.parsing import Expression, parse
from libraries_io_mcp.alerting.promql.selecting import LOOKBACK_SECONDS

__all__ = [
    "LOOKBACK_SECONDS",
    "STALE",
    "BadPromQL",
    "EvaluationError",
    "Expression",
    "LabelSet",
    "Labels",
    "Matcher",
    "PromQLError",
    "Sample",
    "Series",
    "Storage",
    "UnsupportedPromQL",
    "is_stale",
    "parse",
]
