"""From the parser's tree to closures, node by node; every type is checked here, so that evaluation need not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

import promql_parser as tree

from libraries_io_mcp.alerting.promql import aggregation, matching, selecting
from libraries_io_mcp.alerting.promql.arithmetic import ARITHMETIC, COMPARISON
from libraries_io_mcp.alerting.promql.calling import compile_call
from libraries_io_mcp.alerting.promql.errors import BadPromQL, UnsupportedPromQL
from libraries_io_mcp.alerting.promql.functions import each_value
from libraries_io_mcp.alerting.promql.model import NAME, Instant, Matcher, Node, Number, Range, Text
from libraries_io_mcp.alerting.promql.regexes import compiled
from libraries_io_mcp.alerting.promql.selecting import Shift

_Kind = TypeVar("_Kind", Instant, Number, Range, Text)

_TYPES: Final = {Instant: "instant vector", Number: "scalar", Range: "range vector", Text: "string"}


def compile_node(node: Any) -> Node:
    """One node and all below it. Raises BadPromQL or UnsupportedPromQL."""
    kind = type(node).__name__
    if kind not in _COMPILERS:
        raise UnsupportedPromQL(kind, "not evaluated here")
    return _COMPILERS[kind](node)


def _expect(kind: type[_Kind], node: Any, where: str) -> _Kind:
    made = compile_node(node)
    if not isinstance(made, kind):
        raise BadPromQL(f"expected type {_TYPES[kind]} in {where}, got {_TYPES[type(made)]}")
    return made


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _shift(node: Any) -> Shift:
    offset = _milliseconds(node.offset) if node.offset is not None else 0
    if node.at is None:
        return Shift(offset)
    if node.at.type == tree.AtModifierType.At:
        raise UnsupportedPromQL("@ with a time", "samples are kept for a while only; use offset")
    return Shift(offset, at_query=True)


def _matchers(node: Any) -> tuple[Matcher, ...]:
    if node.matchers.or_matchers:
        raise UnsupportedPromQL("or between label matchers", "Prometheus knows no such thing")
    found = [_matcher(each) for each in node.matchers.matchers]
    if node.name is not None:
        found.append(Matcher(NAME, "=", node.name))
    return tuple(found)


def _matcher(each: Any) -> Matcher:
    if each.op == tree.MatchOp.Equal:
        return Matcher(each.name, "=", each.value)
    if each.op == tree.MatchOp.NotEqual:
        return Matcher(each.name, "!=", each.value)
    return Matcher(each.name, "=~" if each.op == tree.MatchOp.Re else "!~", each.value, compiled(each.value))


def _vector_selector(node: Any) -> Node:
    return selecting.instant(_matchers(node), _shift(node))


def _matrix_selector(node: Any) -> Node:
    selector = node.vector_selector
    return selecting.ranged(_matchers(selector), _milliseconds(node.range), _shift(selector))


def _subquery(node: Any) -> Node:
    if node.step is None:
        raise UnsupportedPromQL("a subquery without a step", "its step would be Prometheus' setting; write one")
    operand = _expect(Instant, node.expr, "subquery")
    return selecting.subquery(operand, _milliseconds(node.range), _milliseconds(node.step), _shift(node))


def _unary(node: Any) -> Node:
    operand = compile_node(node.expr)
    if isinstance(operand, Number):
        return Number(lambda context: -operand.at(context), operand.needs)
    if isinstance(operand, Instant):
        return each_value(operand, lambda value: -value)
    raise BadPromQL("unary expression only allowed on expressions of type scalar or instant vector")


def _binary(node: Any) -> Node:
    operator, modifier = str(node.op), node.modifier
    left, right = compile_node(node.lhs), compile_node(node.rhs)
    as_bool = modifier is not None and modifier.return_bool
    how = _matching(modifier)
    if operator == "atan2":
        raise UnsupportedPromQL("atan2", "its last digits depend on the processor, and no alert needs an angle")
    if as_bool and operator not in COMPARISON:
        raise BadPromQL("bool modifier can only be used on comparison operators")
    if isinstance(left, Instant) and isinstance(right, Instant):
        return _of_vectors(operator, left, right, how, as_bool=as_bool)
    if operator in ("and", "or", "unless"):
        raise BadPromQL(f'set operator "{operator}" not allowed in binary scalar expression')
    if how.names:
        raise BadPromQL("vector matching only allowed between instant vectors")
    if isinstance(left, Number) and isinstance(right, Number):
        if operator in COMPARISON and not as_bool:
            raise BadPromQL("comparisons between scalars must use BOOL modifier")
        return matching.of_scalars(operator, left, right)
    if isinstance(left, Instant) and isinstance(right, Number):
        return matching.with_scalar(operator, left, right, swapped=False, as_bool=as_bool)
    if isinstance(left, Number) and isinstance(right, Instant):
        return matching.with_scalar(operator, right, left, swapped=True, as_bool=as_bool)
    raise BadPromQL("binary expression must contain only scalar and instant vector types")


def _of_vectors(operator: str, left: Instant, right: Instant, how: matching.Matching, *, as_bool: bool) -> Instant:
    if operator in ARITHMETIC or operator in COMPARISON:
        if how.on and set(how.names) & set(how.include):
            raise BadPromQL("a label must not occur in ON and GROUP clause at once")
        return matching.of_vectors(operator, left, right, how, as_bool=as_bool)
    if how.many != "none":
        raise BadPromQL(f'no grouping allowed for "{operator}" operation')
    return matching.of_sets(operator, left, right, how)


def _matching(modifier: Any) -> matching.Matching:
    if modifier is None:
        return matching.Matching()
    if modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None:
        raise UnsupportedPromQL("fill()", "experimental in Prometheus")
    labels = modifier.matching
    names = tuple(labels.labels) if labels is not None else ()
    on = labels is not None and labels.type == tree.LabelModifierType.Include
    include = tuple(modifier.group_labels or ())
    if modifier.card == tree.VectorMatchCardinality.ManyToOne:
        return matching.Matching(names, on, "left", include)
    if modifier.card == tree.VectorMatchCardinality.OneToMany:
        return matching.Matching(names, on, "right", include)
    return matching.Matching(names, on)


def _aggregate(node: Any) -> Node:
    name = str(node.op)
    operand = _expect(Instant, node.expr, "aggregation expression")
    modifier = node.modifier
    names = list(modifier.labels) if modifier is not None else []
    excluded = modifier is not None and modifier.type == tree.AggModifierType.Without
    if name == "count_values":
        return aggregation.count_values(_label_name(node.param), operand, names, excluded=excluded)
    grouping = aggregation.Grouping(names, excluded=excluded)
    if name in aggregation.SIMPLE:
        return aggregation.simple(name, operand, grouping)
    if name == "quantile":
        return aggregation.quantile(_expect(Number, node.param, "aggregation parameter"), operand, grouping)
    if name in aggregation.RANKING:
        return aggregation.ranking(name, _expect(Number, node.param, "aggregation parameter"), operand, grouping)
    raise UnsupportedPromQL(f"{name}()", "experimental in Prometheus")


def _label_name(node: Any) -> Text:
    name = _expect(Text, node, "aggregation parameter")
    if not name.value:
        raise BadPromQL("invalid label name")
    return name


def _number(node: Any) -> Node:
    value = float(node.val)
    return Number(lambda _context: value, {})


_COMPILERS: Final[dict[str, Callable[[Any], Node]]] = {
    "VectorSelector": _vector_selector,
    "MatrixSelector": _matrix_selector,
    "SubqueryExpr": _subquery,
    "UnaryExpr": _unary,
    "BinaryExpr": _binary,
    "AggregateExpr": _aggregate,
    "ParenExpr": lambda node: compile_node(node.expr),
    "NumberLiteral": _number,
    "StringLiteral": lambda node: Text(node.val),
    "Call": lambda node: compile_call(node.func.name, [compile_node(each) for each in node.args]),
}
