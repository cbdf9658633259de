"""Operators between two operands: scalars, vectors with scalars, vectors matched with vectors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from libraries_io_mcp.alerting.promql.arithmetic import ARITHMETIC, COMPARISON
from libraries_io_mcp.alerting.promql.errors import EvaluationError
from libraries_io_mcp.alerting.promql.labelling import Memo, distinct, label, labelled, nameless, only, without
from libraries_io_mcp.alerting.promql.model import METADATA, Context, Instant, Key, Number, Vector, together


@dataclass(frozen=True, slots=True)
class Matching:
    """How elements of two vectors find each other. `many`: the side that may have several of one signature."""

    names: tuple[str, ...] = ()
    on: bool = False
    many: Literal["none", "left", "right"] = "none"
    include: tuple[str, ...] = ()

    def signature(self) -> Memo[Key, Key]:
        """What two elements must have in common."""
        if self.on:
            return Memo(lambda key: only(key, self.names))
        dropped = METADATA.union(self.names)
        return Memo(lambda key: without(key, dropped))


def of_scalars(operator: str, left: Number, right: Number) -> Number:
    """Arithmetic or a `bool` comparison of two scalars."""
    needs = together(left.needs, right.needs)
    if operator in ARITHMETIC:
        compute = ARITHMETIC[operator]
        return Number(lambda context: compute(left.at(context), right.at(context)), needs)
    compare = COMPARISON[operator]
    return Number(lambda context: 1.0 if compare(left.at(context), right.at(context)) else 0.0, needs)


def with_scalar(operator: str, vector: Instant, scalar: Number, *, swapped: bool, as_bool: bool) -> Instant:
    """Each element with one scalar; `swapped`: the scalar stands on the left. A filter keeps the element's value."""
    needs = together(vector.needs, scalar.needs)
    names: Memo[Key, Key] = Memo(nameless)
    compute = ARITHMETIC.get(operator) or COMPARISON[operator]

    def sides(context: Context) -> tuple[Vector, float]:
        # Left before right: when both fail, Prometheus tells of the left one.
        if swapped:
            other = scalar.at(context)
            return vector.at(context), other
        return vector.at(context), scalar.at(context)

    def computed(context: Context) -> Vector:
        elements, other = sides(context)
        if swapped:
            return distinct([(names[key], float(compute(other, value))) for key, value in elements])
        return distinct([(names[key], float(compute(value, other))) for key, value in elements])

    def filtered(context: Context) -> Vector:
        elements, other = sides(context)
        if swapped:
            return [element for element in elements if compute(other, element[1])]
        return [element for element in elements if compute(element[1], other)]

    return Instant(computed if as_bool or operator in ARITHMETIC else filtered, needs)


def of_sets(operator: str, left: Instant, right: Instant, matching: Matching) -> Instant:
    """`and`, `or`, `unless`."""
    signature = matching.signature()

    def both(context: Context) -> Vector:
        elements, others = left.at(context), right.at(context)
        present = {signature[key] for key, _ in others}
        return [element for element in elements if signature[element[0]] in present]

    def either(context: Context) -> Vector:
        elements, others = left.at(context), right.at(context)
        present = {signature[key] for key, _ in elements}
        return distinct(elements + [element for element in others if signature[element[0]] not in present])

    def rest(context: Context) -> Vector:
        elements, others = left.at(context), right.at(context)
        present = {signature[key] for key, _ in others}
        return [element for element in elements if signature[element[0]] not in present]

    return Instant({"and": both, "or": either, "unless": rest}[operator], together(left.needs, right.needs))


def of_vectors(operator: str, left: Instant, right: Instant, matching: Matching, *, as_bool: bool) -> Instant:
    """Arithmetic and comparison of elements that match one to one, or many to one with `group_left`/`group_right`."""
    signature = matching.signature()
    labels = _result_labels(matching, drop_name=as_bool or operator in ARITHMETIC)
    combine = _combine(operator, as_bool=as_bool)
    swapped = matching.many == "right"
    one_side = "left" if swapped else "right"

    def at(context: Context) -> Vector:
        many, ones = left.at(context), right.at(context)
        if swapped:
            many, ones = ones, many
        if not many or not ones:
            return []
        by_signature = _by_signature(ones, signature, one_side)
        seen: set[tuple[Key, Key | None]] = set()
        found: Vector = []
        for key, value in many:
            mark = signature[key]
            one = by_signature.get(mark)
            if one is None:
                continue
            made = labels(key, one[0])
            _once(seen, mark, made, matching)
            result = combine(one[1], value) if swapped else combine(value, one[1])
            if result is not None:
                found.append((made, result))
        return distinct(found)

    return Instant(at, together(left.needs, right.needs))


def _combine(operator: str, *, as_bool: bool) -> Callable[[float, float], float | None]:
    if operator in ARITHMETIC:
        return ARITHMETIC[operator]
    compare = COMPARISON[operator]
    if as_bool:
        return lambda left, right: 1.0 if compare(left, right) else 0.0
    return lambda left, right: left if compare(left, right) else None


def _by_signature(elements: Vector, signature: Memo[Key, Key], side: str) -> dict[Key, tuple[Key, float]]:
    found = {signature[element[0]]: element for element in elements}
    if len(found) != len(elements):
        raise EvaluationError(
            f"found duplicate series for the match group on the {side} hand-side of the operation; "
            "many-to-many matching not allowed: matching labels must be unique on one side"
        )
    return found


def _once(seen: set[tuple[Key, Key | None]], mark: Key, made: Key, matching: Matching) -> None:
    # Checked before a comparison filters: so does Prometheus, so that an error does not depend on the values.
    one_to_one = matching.many == "none"
    pair = (mark, None if one_to_one else made)
    if pair in seen:
        hint = "many-to-one matching must be explicit (group_left/group_right)"
        raise EvaluationError(
            f"multiple matches for labels: {hint if one_to_one else 'grouping labels must ensure unique matches'}"
        )
    seen.add(pair)


def _result_labels(matching: Matching, *, drop_name: bool) -> Callable[[Key, Key], Key]:
    def of_many(key: Key) -> Key:
        kept = nameless(key) if drop_name else key
        if matching.many != "none":
            return kept
        return only(kept, matching.names) if matching.on else without(kept, matching.names)

    made: Memo[Key, Key] = Memo(of_many)
    if not matching.include:
        return lambda many, _one: made[many]

    def including(pair: tuple[Key, Key]) -> Key:
        key = made[pair[0]]
        for name in matching.include:
            key = labelled(key, name, label(pair[1], name))
        return key

    included: Memo[tuple[Key, Key], Key] = Memo(including)
    return lambda many, one: included[many, one]
