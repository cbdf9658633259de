"""Every promtool unit test of the repository, run by the in-process evaluator: the same YAML, the same expectations."""

import math
from pathlib import Path

import pytest
from tests.support.promtool_tests import SPOILS, Spoil, load_file, parse_series, run_file, run_tests, spoiled

from libraries_io_mcp.alerting.promql import is_stale

ROOT = Path(__file__).parents[3]
OWN = Path(__file__).parent / "promtool" / "tests.yml"
FILES = sorted((ROOT / "otel" / "rules" / "tests").glob("*.yml"))


def test_there_are_tests_of_the_default_rules() -> None:
    assert FILES


@pytest.mark.parametrize("path", [*FILES, OWN], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_evaluator_passes_the_tests_that_promtool_passes(path: Path) -> None:
    failures = run_file(path)
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("how", SPOILS)
def test_every_wrong_expectation_is_noticed(how: Spoil) -> None:
    data, cases = spoiled(load_file(OWN), how)
    assert cases
    failures = run_tests(data, OWN.parent)
    assert len(failures) == cases, "\n".join(failures)


def test_the_series_notation() -> None:
    assert parse_series("1+2x3 -5 _ _x2 0x2 1e3-1x1 .5") == [1, 3, 5, 7, -5, None, None, None, 0, 0, 0, 1000, 999, 0.5]
    stale, nan, infinite = parse_series("stale NaN -Inf")
    assert is_stale(stale)
    assert math.isnan(nan)
    assert not is_stale(nan)
    assert infinite == float("-inf")
    with pytest.raises(AssertionError, match="native"):
        parse_series("{{schema:1}}")
