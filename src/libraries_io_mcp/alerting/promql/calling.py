"""Calls of functions: which are known, and what arguments each takes."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from libraries_io_mcp.alerting.promql import functions, histograms, rewriting
from libraries_io_mcp.alerting.promql.dates import DATE
from libraries_io_mcp.alerting.promql.errors import BadPromQL, UnsupportedPromQL
from libraries_io_mcp.alerting.promql.functions import MATHEMATICS
from libraries_io_mcp.alerting.promql.labelling import Memo, distinct, nameless
from libraries_io_mcp.alerting.promql.model import Context, Instant, Key, Node, Number, Range, Text, Vector, together
from libraries_io_mcp.alerting.promql.over_time import OF_SAMPLES, OF_VALUES, WITH_ARGUMENT
from libraries_io_mcp.alerting.promql.regexes import compiled

_Kind = TypeVar("_Kind", Instant, Number, Range, Text)
_TYPES: Final = {Instant: "instant vector", Number: "scalar", Range: "range vector", Text: "string"}
_INFINITE: Final = float("inf")
_NAMED: Final = frozenset({"first_over_time", "last_over_time"})
"""These move a sample, as an offset does, so that it stays the metric's own."""


class Arguments:
    """The arguments of one call, taken one after the other with the type that is expected."""

    def __init__(self, function: str, given: Sequence[Node]) -> None:
        self.function = function
        self._given = list(given)

    def next(self, kind: type[_Kind]) -> _Kind:
        """The next one. Raises BadPromQL when there is none, or one of another type."""
        if not self._given:
            raise BadPromQL(f"too few arguments in call to {self.function}()")
        made = self._given.pop(0)
        if not isinstance(made, kind):
            raise BadPromQL(f"expected type {_TYPES[kind]} in call to {self.function}(), got {_TYPES[type(made)]}")
        return made

    @property
    def left(self) -> int:
        """How many have not been taken."""
        return len(self._given)


def compile_call(name: str, given: Sequence[Node]) -> Node:
    """A call with its compiled arguments. Raises UnsupportedPromQL for a function that is not evaluated here."""
    arguments = Arguments(name, given)
    made = _called(name, arguments)
    if arguments.left:
        raise BadPromQL(f"too many arguments in call to {name}()")
    return made


def _called(name: str, arguments: Arguments) -> Node:
    if name in OF_VALUES or name in OF_SAMPLES or name in WITH_ARGUMENT:
        return _over_range(name, arguments)
    if name in MATHEMATICS:
        return functions.each_value(arguments.next(Instant), MATHEMATICS[name])
    if name in DATE:
        operand = arguments.next(Instant) if arguments.left else functions.vector(_TIME)
        return functions.each_value(operand, DATE[name])
    if name in _OTHERS:
        return _OTHERS[name](arguments)
    raise UnsupportedPromQL(f"{name}()", "this function is not evaluated here")


def _over_range(name: str, arguments: Arguments) -> Instant:
    share = arguments.next(Number) if name == "quantile_over_time" else None
    operand = arguments.next(Range)
    if name in OF_VALUES:
        return _of_values(name, operand)
    if name in OF_SAMPLES:
        return _of_samples(name, operand)
    return _with_argument(name, operand, share or arguments.next(Number))


def _of_values(name: str, operand: Range) -> Instant:
    compute = OF_VALUES[name]
    names: Memo[Key, Key] = Memo((lambda key: key) if name in _NAMED else nameless)

    def at(context: Context) -> Vector:
        computed = [(names[key], compute(values)) for key, _, values in operand.at(context)]
        return distinct([(key, value) for key, value in computed if value is not None])

    return Instant(at, operand.needs)


def _of_samples(name: str, operand: Range) -> Instant:
    compute = OF_SAMPLES[name]
    names: Memo[Key, Key] = Memo(nameless)

    def at(context: Context) -> Vector:
        window = operand.window(context)
        computed = [(names[key], compute(times, values, window)) for key, times, values in operand.at(context)]
        return distinct([(key, value) for key, value in computed if value is not None])

    return Instant(at, operand.needs)


def _with_argument(name: str, operand: Range, argument: Number) -> Instant:
    compute = WITH_ARGUMENT[name]
    names: Memo[Key, Key] = Memo(nameless)

    def at(context: Context) -> Vector:
        samples, window, given = operand.at(context), operand.window(context), argument.at(context)
        computed = [(names[key], compute(times, values, window, given)) for key, times, values in samples]
        return distinct([(key, value) for key, value in computed if value is not None])

    return Instant(at, together(operand.needs, argument.needs))


def _label_replace(arguments: Arguments) -> Instant:
    operand = arguments.next(Instant)
    target, template, source, pattern = (arguments.next(Text).value for _ in range(4))
    if not target:
        raise BadPromQL("invalid destination label name in label_replace(): ")
    return rewriting.replaced(operand, target, template, source, compiled(pattern))


def _label_join(arguments: Arguments) -> Instant:
    operand = arguments.next(Instant)
    target, separator = arguments.next(Text).value, arguments.next(Text).value
    sources = [arguments.next(Text).value for _ in range(arguments.left)]
    if not target or not all(sources):
        raise BadPromQL("invalid label name in label_join()")
    return rewriting.joined(operand, target, separator, sources)


def _constant(value: float) -> Number:
    return Number(lambda _context: value, {})


_TIME: Final = Number(lambda context: context.at / 1000, {})
_OTHERS: Final[dict[str, Callable[[Arguments], Node]]] = {
    "absent": lambda take: functions.absent(take.next(Instant)),
    "absent_over_time": lambda take: functions.absent(take.next(Range)),
    "clamp": lambda take: functions.clamped(take.next(Instant), take.next(Number), take.next(Number)),
    "clamp_max": lambda take: functions.clamped(take.next(Instant), _constant(-_INFINITE), take.next(Number)),
    "clamp_min": lambda take: functions.clamped(take.next(Instant), take.next(Number), _constant(_INFINITE)),
    "histogram_quantile": lambda take: histograms.quantile(take.next(Number), take.next(Instant)),
    "label_join": _label_join,
    "label_replace": _label_replace,
    "pi": lambda _take: _constant(3.141592653589793),
    "round": lambda take: functions.rounded(take.next(Instant), take.next(Number) if take.left else _constant(1.0)),
    "scalar": lambda take: functions.scalar(take.next(Instant)),
    "sort": lambda take: functions.ordered(take.next(Instant), descending=False),
    "sort_desc": lambda take: functions.ordered(take.next(Instant), descending=True),
    "time": lambda _take: _TIME,
    "timestamp": lambda take: functions.timestamp(take.next(Instant)),
    "vector": lambda take: functions.vector(take.next(Number)),
}
