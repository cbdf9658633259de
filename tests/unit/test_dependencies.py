"""The page on dependencies, what pyproject.toml asks for and what is locked say the same."""

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "decisions" / "dependencies.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = "".join((ROOT / "requirements" / name).read_text(encoding="utf-8") for name in ("dev.txt", "audit.txt"))
LOCKED = dict(re.findall(r"^([a-z0-9.-]+)==([^ ]+)", LOCKS, re.MULTILINE))
MODULES = {
    "license_expression": "license-expression",
    "prometheus_client": "prometheus-client",
    "promql_parser": "promql-parser",
    "pydantic_settings": "pydantic-settings",
    "re2": "google-re2",
    "semantic_version": "semantic-version",
    "yaml": "pyyaml",
}
"""Which package a module comes from where the names differ."""
BROUGHT_ALONG = {"dotenv", "google", "h11", "mcp_types", "opentelemetry", "pydantic_core", "requests"}
"""Parts of packages that are named: the page says of which. OpenTelemetry's packages share one name space."""


def requirements() -> list[str]:
    project = PROJECT["project"]
    return [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
        *(line for group in PROJECT["dependency-groups"].values() for line in group),
    ]


def name_of(requirement: str) -> str:
    return re.split(r"[~=<>; \[]", requirement, maxsplit=1)[0]


def test_each_direct_dependency_is_pinned_by_compatible_release():
    assert [line for line in requirements() if "~=" not in line] == []


def test_the_page_names_each_direct_dependency_with_its_locked_version():
    on_page = dict(re.findall(r"\b([a-z0-9-]+) (\d[0-9a-z.]*)(?=,| \||  *\(extra)", PAGE))
    wanted = {name: LOCKED[name] for name in map(name_of, requirements())}
    assert {name: on_page.get(name) for name in wanted} == wanted


def test_whatever_the_package_imports_is_a_direct_dependency():
    direct = {name_of(line) for line in PROJECT["project"]["dependencies"]} | set(
        PROJECT["project"]["optional-dependencies"]
    )
    imported = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - BROUGHT_ALONG - {"libraries_io_mcp"}
    assert {MODULES.get(module, module) for module in foreign} - direct == set()
