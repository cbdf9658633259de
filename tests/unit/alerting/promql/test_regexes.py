"""Regular expressions that mean the same in Go and in Python."""

import pytest

from libraries_io_mcp.alerting.promql import BadPromQL, UnsupportedPromQL
from libraries_io_mcp.alerting.promql.regexes import compiled


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("a|b", ["a", "b"], ["ab", ""]),
        ("5..", ["500", "5\n0"], ["50", "5000"]),
        (r"\d+", ["12"], ["", "x", "\u0661"]),
        (r"a\.b", ["a.b"], ["axb"]),
        ("(?:a|b)c?", ["a", "bc"], ["abc"]),
        ("(?P<n>x)*", ["", "xx"], ["y"]),
        ("[^a-c]{2}", ["xy"], ["ax"]),
        ("^(?:a$|b$)", ["a", "b"], ["a\n", "ab"]),
        ("|cancelled", ["", "cancelled"], ["timeout"]),
    ],
)
def test_whole_values(pattern: str, matching: list[str], other: list[str]) -> None:
    """Anchored at both ends; a dot matches a line's end, too."""
    assert all(compiled(pattern).fullmatch(each) for each in matching)
    assert not any(compiled(pattern).fullmatch(each) for each in other)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?i)x",
        r"(?=x)",
        r"(?<!x)y",
        r"\pL",
        r"\Qx\E",
        r"\1",
        r"x++",
        r"x*+",
        r"[[:alpha:]]",
        r"[a--b]",
        r"a{,2}",
        r"a{1001}",
        r"a$b",
        r"\z",
    ],
)
def test_what_the_two_read_differently(pattern: str) -> None:
    """Refused, rather than matched otherwise."""
    with pytest.raises(UnsupportedPromQL, match="regular expression"):
        compiled(pattern)


def test_what_is_none() -> None:
    """An open parenthesis."""
    with pytest.raises(BadPromQL, match="not a regular expression"):
        compiled("(a")
