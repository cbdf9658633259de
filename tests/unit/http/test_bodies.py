import json
from typing import Final

import pytest

from libraries_io_mcp.http.bodies import Shape
from libraries_io_mcp.http.turns import RefusedError

PLENTY: Final = 1_000_000


def refused(text: bytes, size: int, deep: int = PLENTY, values: int = PLENTY) -> str | None:
    """Why a text is refused that comes in parts of this size."""
    shape = Shape(deep, values)
    try:
        for start in range(0, len(text), size):
            shape.add(text[start : start + size])
    except RefusedError as refusal:
        return refusal.reason
    return None


@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
@pytest.mark.parametrize(
    ("text", "deep"),
    [
        (b"[[[1]]]", 3),
        (b'{"a":[{"b":1},{"c":[]}]}', 4),
        (b'{"a":"[[[[[[","b":"\\"[[[[[[[","c":"\\\\"}', 1),
        (b'["\\\\\\"[[[[", [1]]', 2),
        (b"[[],[],[[]]]", 3),
        (b"1", 0),
        (b"[" * 50, 50),
    ],
)
def test_how_deep_a_text_is(text: bytes, deep: int, size: int):
    assert refused(text, size, deep=deep) is None
    assert deep == 0 or refused(text, size, deep=deep - 1) == "json_too_deep"


@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
@pytest.mark.parametrize(
    ("value", "values"),
    [
        ([1, 2, 3], 3),
        ({"a": 1, "b": {"c": [1, {"d": "e"}]}}, 6),
        ({"manifest": 'a,b,"[,{\\' * 1_000}, 1),
        (["\\", '"', ",,,"], 3),
    ],
)
def test_how_many_values_a_text_has(value: object, values: int, size: int):
    text = json.dumps(value).encode()
    assert refused(text, size, values=values) is None
    assert refused(text, size, values=values - 1) == "json_too_many_values"


@pytest.mark.parametrize("unit", [b"[],", b'{"a":1},', b'"",', b"]", b"[" * 63 + b"]" * 63 + b",", b",", b'{"":'])
def test_what_costs_a_parser_its_time_is_refused_after_the_first_part(unit: bytes):
    shape = Shape(64, 10_000)
    with pytest.raises(RefusedError):
        shape.add(b"[" + unit * (65_536 // len(unit)))
