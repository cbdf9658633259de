"""Two spellings of one expression are one; two expressions are two."""

import pytest

from libraries_io_mcp.alerting.canonical import canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a{b='c'} offset 60s", 'a{b="c"} offset 1m'),
        ("sum(rate(x[300s]))by(le)", "sum by (le) (\n  rate(x[5m])\n)"),
        ("x > 1e3", "x>1000"),
        ("not  promql [", "not\npromql ["),
    ],
)
def test_one_expression(one: str, other: str):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"), [("a > 1", "a >= 1"), ("a - b - c", "a - (b - c)"), ('a{b="c"}', 'a{b!="c"}')]
)
def test_two_expressions(one: str, other: str):
    assert canonical(one) != canonical(other)
