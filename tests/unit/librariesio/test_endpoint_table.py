"""The table of endpoints in docs/libraries-io.md is what the code says.

python -m tests.unit.librariesio.test_endpoint_table     writes it anew
"""

import ast
import inspect
import re
from pathlib import Path

from tests.contract.test_client_samples import MODELS
from tests.unit.librariesio.calls import READS, WRITES

from libraries_io_mcp.librariesio import client, endpoints
from libraries_io_mcp.librariesio.endpoints import Endpoint

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "libraries-io.md"
BLOCK = re.compile(r"(<!-- generated: endpoints -->\n).*?(<!-- end -->)", re.DOTALL)
ENDPOINTS = {name: value for name, value in vars(endpoints).items() if isinstance(value, Endpoint)}
TOOLS = {
    "search": "search_packages get_popular_packages find_alternatives",
    "platforms": "list_platforms",
    "project": "get_package_info get_package_versions get_package_dependencies get_package_dependents "
    "find_alternatives check_package_health track_package_updates",
    "dependencies": "get_package_dependencies",
    "check": "compare_packages audit_dependencies generate_dependency_report",
    "tree": "get_dependency_tree",
    "dependent_repositories": "get_package_dependents",
    "contributors": "get_package_contributors",
    "sourcerank": "get_sourcerank check_package_health",
    "repository": "get_repository check_package_health",
    "repository_dependencies": "get_repository_dependencies",
    "repository_shields": "get_repository_dependencies",
    "repository_projects": "get_repository_packages",
    "owner": "get_owner",
    "owner_repositories": "get_owner",
    "owner_projects": "get_owner",
    "owner_project_contributions": "get_owner",
    "owner_repository_contributions": "get_owner",
    "owner_dependencies": "get_owner",
    "subscriptions": "track_package_updates",
    "subscription": "track_package_updates",
    "subscribe": "track_package_updates",
    "unsubscribe": "track_package_updates",
}
"""Client methods that tools use, and the tools."""


def methods() -> dict[str, str]:
    """The client method of each endpoint, read from the client's source."""
    found = {"DEPENDENCIES": "dependencies"}
    (body,) = [
        node
        for node in ast.parse(inspect.getsource(client)).body
        if isinstance(node, ast.ClassDef) and node.name == "LibrariesIOClient"
    ]
    for method in body.body:
        for node in ast.walk(method):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "endpoints":
                found[node.attr] = method.name
    return found


def kept(seconds: float) -> str:
    if not seconds:
        return "never"
    minutes = int(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"


def proof(endpoint: Endpoint) -> str:
    """The contract test of `tests/contract/test_client_endpoints.py`."""
    if (endpoint.method != "GET" and endpoint.template not in READS) or not endpoint.shareable:
        return "`test_a_subscription_lives_and_ends`"
    return "`test_each_question_is_answered`"


def table() -> str:
    rows = [
        "| method | path | client method | kept | key | repeated | tools | proof | samples |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, endpoint in ENDPOINTS.items():
        method = methods()[name]
        tools = ", ".join(f"`{tool}`" for tool in TOOLS.get(method, "").split()) or "-"
        samples = ", ".join(f"`{sample}`" for sample, model in MODELS.items() if model is endpoint) or "-"
        cells = [
            endpoint.method,
            f"`{endpoint.template}`",
            f"`{method}`",
            kept(endpoint.keep_seconds),
            "needed" if endpoint.needs_key else "-",
            "yes" if endpoint.repeatable else "no",
            tools,
            proof(endpoint),
            samples,
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def page() -> str:
    text = PAGE.read_text(encoding="utf-8")
    assert BLOCK.search(text)
    return BLOCK.sub(lambda match: f"{match[1]}\n{table()}\n\n{match[2]}", text)


def test_the_page_shows_the_table_of_the_code():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.unit.librariesio.test_endpoint_table"


def test_every_endpoint_has_a_method_and_a_question_that_tests_it():
    assert set(methods()) == set(ENDPOINTS)
    for endpoint in ENDPOINTS.values():
        assert endpoint.template in READS if endpoint.shareable else endpoint.method in WRITES


def test_the_tests_that_the_page_names_exist():
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 10
    files = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert {name for name in named if f"def {name}(" not in tests and name not in files} == set()


def test_the_methods_that_tools_use_are_those_of_the_table():
    source = ""
    for folder in ("tools", "judging", "answer"):
        for path in (ROOT / "src" / "libraries_io_mcp" / folder).rglob("*.py"):
            source += path.read_text(encoding="utf-8")
    used = set(re.findall(r"[._]client\.(\w+)\(|\bclient\.(\w+)\(", source))
    called = {name for pair in used for name in pair if name}
    assert called & set(methods().values()) == set(TOOLS)
    tools = {tool for names in TOOLS.values() for tool in names.split()}
    assert {tool for tool in tools if f"def {tool}(" not in source} == set()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
