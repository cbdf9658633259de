"""The check that nothing private of others is used finds what is planted, and lets its own pass."""

import ast
import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_modules.py"


@pytest.fixture(scope="module")
def names():
    spec = importlib.util.spec_from_file_location("check_modules", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda text: [name for _line, name in module.private_names(ast.parse(text))]


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("x._y", ["x._y"]),
        ("x._y = 1", ["x._y"]),
        ("self.x._y()", ["self.x._y"]),
        ("f()._y", ["f()._y"]),
        ("import _y", ["_y"]),
        ("import a._y.b", ["a._y.b"]),
        ("from a import _y", ["a._y"]),
        ("from a._y import b as c", ["a._y.b"]),
        ("from a._logs import b", ["a._logs.b"]),
        ("getattr(x, '_y', None)", ["getattr(x, '_y', None)"]),
    ],
)
def test_what_is_planted_is_found(planted: str, found: list[str], names):
    assert names(planted) == found


@pytest.mark.parametrize(
    "own",
    [
        "self._y",
        "cls._y",
        "super()._y()",
        "x.__name__",
        "class A:\n    def _y(self): ...\n    def f(self, other): return other._y()",
        "class A:\n    def __init__(self): self._y = 1\n    def __eq__(self, other): return self._y == other._y",
        "from libraries_io_mcp.a import _y",
        "from opentelemetry.sdk._logs import LoggerProvider",
        "os._exit(1)",
    ],
)
def test_its_own_may_be_used(own: str, names):
    assert names(own) == []
