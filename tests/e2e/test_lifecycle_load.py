"""The end under load: nothing is lost. Each transport once; tests/e2e/test_endings.py has all combinations."""

from pathlib import Path

import pytest
from tests.support.endings_under_load import assert_http_loses_nothing, assert_stdio_loses_nothing


def test_stdio(tmp_path: Path):
    assert_stdio_loses_nothing("SIGINT", "good", tmp_path)


def test_http(tmp_path: Path):
    assert_http_loses_nothing("SIGTERM", "good", "session", tmp_path)


@pytest.mark.parametrize("form", ["modern", "stream"])
def test_http_refuses(form: str, tmp_path: Path):
    assert_http_loses_nothing("SIGTERM", "hang", form, tmp_path)
