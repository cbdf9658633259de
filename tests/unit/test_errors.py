"""The tree of exceptions as its module draws it, and what each of them promises."""

import importlib
import pkgutil
import re

import libraries_io_mcp
from libraries_io_mcp import errors

DRAWN = re.compile(r"^ {4}([│├└─ ]*)(\w+Error)(?: +(.*))?$", re.MULTILINE)


def drawn() -> list[tuple[int, str]]:
    """Depth and name of each line of the drawing."""
    return [(len(branches) // 4, name) for branches, name, _ in DRAWN.findall(errors.__doc__)]


def real(kind: type, depth: int = 0) -> list[tuple[int, str]]:
    """The same of the classes of the product."""
    children = [child for child in kind.__subclasses__() if child.__module__.startswith("libraries_io_mcp.")]
    return [(depth, kind.__name__), *(line for child in children for line in real(child, depth + 1))]


def families(lines: list[tuple[int, str]]) -> set[tuple[str, ...]]:
    """Each class with its ancestors, outermost first."""
    path: list[str] = []
    found = set()
    for depth, name in lines:
        path = [*path[:depth], name]
        found.add(tuple(path))
    return found


def test_the_drawing_shows_every_class_in_its_place():
    for module in pkgutil.walk_packages(libraries_io_mcp.__path__, "libraries_io_mcp."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    assert families(drawn()) == families(real(errors.LibrariesIOMCPError))


def test_each_call_error_has_a_name_of_its_own_and_a_next_step():
    kinds = [errors.CallError]
    for kind in kinds:
        kinds += [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    assert len({kind.error_type for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert re.fullmatch(r"[a-z_]+", kind.error_type)
        assert kind("x").next_step.endswith(".")
