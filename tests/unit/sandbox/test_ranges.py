import pytest

from libraries_io_mcp.sandbox.ranges import newest_inside, satisfies


@pytest.mark.parametrize(
    ("number", "range_", "inside"),
    [
        ("1.10.0", "^1.2", True),
        ("2.0.0", "^1.2", False),
        ("0.3.1", "^0.2.1", False),
        ("0.41.0", "<0.47.0,>=0.40.0", True),
        ("1.0.9", "==1.*", True),
        ("3.5", "~> 3.0", True),
        ("3.14.1", "~> 3.13.0", False),
        ("4.0", "~> 3.0", False),
        ("2.9.3", "[2.9.3]", True),
        ("2.0.0", "[1.0,2.0)", False),
        ("7.0.0", "^5.0.0 || ^6.0.0 || ^7.0.0-0", True),
        ("2.1.1", "~> 1.2 or ~> 2.1", True),
        ("3.0", "^1|^2|^3", True),
        ("1.5", ">= 1.6,< 2", False),
        ("1.0.4", "1", True),
        ("1.0.0", ">=0.5.0 <2.0.0", True),
        ("9.9", "*", True),
        ("2.0.0", "!=2.0.0,>=1", False),
        ("1.4", "whatever", None),
    ],
)
def test_satisfies(number: str, range_: str, inside: bool | None):
    assert satisfies(number, range_) is inside


def test_the_newest_inside_prefers_stable_versions():
    assert newest_inside(["1.9.0", "1.10.0", "2.0.0-beta.1"], ">=1") == "1.10.0"
    assert newest_inside(["2.0.0-beta.1"], ">=1") == "2.0.0-beta.1"
    assert newest_inside(["1.0.0"], ">=2") is None
