"""The end under load: nothing is lost. Each way to end once; tests/e2e/test_endings.py has all combinations."""

from pathlib import Path

import pytest
from tests.support.endings_under_load import assert_http_loses_nothing, assert_stdio_loses_nothing


@pytest.mark.parametrize(("how", "package"), [("EOF", "good"), ("SIGINT", "good"), ("SIGTERM", "hang")])
def test_stdio(how: str, package: str, tmp_path: Path):
    assert_stdio_loses_nothing(how, package, tmp_path)


@pytest.mark.parametrize(("how", "package"), [("SIGINT", "hang"), ("SIGTERM", "good")])
def test_http(how: str, package: str, tmp_path: Path):
    assert_http_loses_nothing(how, package, tmp_path)
