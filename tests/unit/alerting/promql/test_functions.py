"""Functions of instant vectors and scalars."""

import math

import pytest
from tests.support.promql_series import ask, load

STORAGE = load(15, {'m{a="1"}': "_ 2.5", 'm{a="2"}': "_ -2.5"}, start=1_700_000_000.0)
NOW = 1_700_000_020.0


@pytest.mark.parametrize(
    ("text", "plus", "minus"),
    [
        ("abs(m)", 2.5, 2.5),
        ("ceil(m)", 3.0, -2.0),
        ("floor(m)", 2.0, -3.0),
        ("round(m)", 3.0, -2.0),
        ("round(m, 2)", 2.0, -2.0),
        ("sgn(m)", 1.0, -1.0),
        ("sqrt(m)", math.sqrt(2.5), math.nan),
        ("exp(m)", math.exp(2.5), math.exp(-2.5)),
        ("ln(m)", math.log(2.5), math.nan),
        ("log2(m)", math.log2(2.5), math.nan),
        ("log10(m)", math.log10(2.5), math.nan),
        ("clamp(m, -1, 1)", 1.0, -1.0),
        ("clamp_min(m, 0)", 2.5, 0.0),
        ("clamp_max(m, 0)", 0.0, -2.5),
        ("clamp_max(m, NaN)", math.nan, math.nan),
        ("timestamp(m)", 1_700_000_015.0, 1_700_000_015.0),
        ("timestamp(m * 1)", NOW, NOW),
    ],
)
def test_of_values(text: str, plus: float, minus: float) -> None:
    """2.5 and -2.5; names are dropped."""
    found = ask(STORAGE, text, NOW)
    assert found == {'{a="1"}': pytest.approx(plus, nan_ok=True), '{a="2"}': pytest.approx(minus, nan_ok=True)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('scalar(m{a="1"})', 2.5),
        ("scalar(m)", math.nan),
        ("scalar(missing)", math.nan),
        ("time()", NOW),
        ("pi()", math.pi),
        ("-scalar(vector(3))", -3.0),
        ("scalar(exp(vector(709.436)))", math.exp(709.436)),
        ("scalar(exp(vector(709.437)))", math.inf),  # as Go on amd64; the limit of a double is 709.78
        ("scalar(exp(vector(-1000)))", 0.0),
        ("scalar(ln(vector(1e-308)))", -708.7183999708778),  # as Go on amd64 has it; right is -709.196
        ("scalar(log10(vector(1e-310)))", -307.9517381166022),
        ("scalar(log2(vector(1e-310)))", -1029.7977094150824),
    ],
)
def test_scalars(text: str, value: float) -> None:
    """Numbers."""
    assert ask(STORAGE, text, NOW) == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("absent(m)", {}),
        ("absent(missing)", {"{}": 1.0}),
        ('absent(missing{a="1", b=~"2", c!="3"})', {'{a="1"}': 1.0}),
        ('absent(missing{a="1", a="2"})', {"{}": 1.0}),
        ('absent(missing{a!="1", a="2", b="3"})', {'{b="3"}': 1.0}),
        ('absent(sum(missing{a="1"}))', {"{}": 1.0}),
        ("clamp(m, 1, 0)", {}),
        ("vector(1)", {"{}": 1.0}),
    ],
)
def test_presence(text: str, found: dict[str, float]) -> None:
    """What is asked for by `=` becomes a label."""
    assert ask(STORAGE, text, NOW) == found


def test_sorting_puts_nan_last() -> None:
    """In both directions."""
    storage = load(15, {'m{a="1"}': "2", 'm{a="2"}': "NaN", 'm{a="3"}': "1"})
    up, down = ask(storage, "sort(m)", 0.0), ask(storage, "sort_desc(m)", 0.0)
    assert isinstance(up, dict)
    assert isinstance(down, dict)
    assert list(up) == ['m{a="3"}', 'm{a="1"}', 'm{a="2"}']
    assert list(down) == ['m{a="1"}', 'm{a="3"}', 'm{a="2"}']
