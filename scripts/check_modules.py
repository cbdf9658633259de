"""House rules that no linter knows: module size, function size, a docstring on every module, nothing private of others.

Prints one line a finding and exits 1 if there is any.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "libraries_io_mcp"
MODULE_LINES = 400
FUNCTION_LINES = 50
OWN = "libraries_io_mcp"
DOCUMENTED = frozenset({"os._exit"})
"""Names with an underscore that are public all the same."""
PENDING = frozenset({"http/answers.py"})
"""Goes with the sessions over HTTP."""
OPENTELEMETRY_LOGS = frozenset({"_logs", "_log_exporter", "_log_encoder"})
"""Modules of OpenTelemetry, which keeps the underscore until logs are called stable; there are no others for logs."""


def findings(path: Path) -> list[str]:
    """What is wrong with one module, one line each."""
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    tree = ast.parse(text)
    found = [f"{path}: {lines} lines, {MODULE_LINES} is the limit"] if lines > MODULE_LINES else []
    if ast.get_docstring(tree) is None and text.strip():
        found.append(f"{path}: no module docstring")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1 - _docstring_lines(node)
            if length > FUNCTION_LINES:
                found.append(f"{path}:{node.lineno}: {node.name} has {length} lines, {FUNCTION_LINES} is the limit")
    if path.relative_to(SOURCE).as_posix() in PENDING:
        return found
    return found + [f"{path}:{line}: {name} is private to somebody else" for line, name in private_names(tree)]


def private_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Where a module uses what begins with one underscore and is not its own: attributes, also by name, and imports.

    Its own are those of `self` and `cls`, of `super()`, and those that the module itself defines: a class may look into
    another object of its kind.
    """
    own = _own_private_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            name = ast.unparse(node)
            if not (name in DOCUMENTED or node.attr in own or _is_oneself(node.value)):
                yield node.lineno, name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            for alias in node.names:
                if not module.startswith(OWN) and _has_private_part(f"{module}.{alias.name}"):
                    yield node.lineno, f"{module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if not alias.name.startswith(OWN) and _has_private_part(alias.name):
                    yield node.lineno, alias.name
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in {
            "getattr",
            "setattr",
            "hasattr",
            "delattr",
        }:
            text = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], ast.Constant) else None
            if isinstance(text, str) and _is_private(text) and text not in own and not _is_oneself(node.args[0]):
                yield node.lineno, ast.unparse(node)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def _has_private_part(name: str) -> bool:
    first, *rest = name.split(".")
    allowed = OPENTELEMETRY_LOGS if first == "opentelemetry" else frozenset()
    return any(_is_private(part) and part not in allowed for part in (first, *rest))


def _is_oneself(node: ast.expr) -> bool:
    """Whether it is `self`, `cls` or `super()`."""
    call = isinstance(node, ast.Call) and not node.args
    named = node.func if isinstance(node, ast.Call) else node
    return isinstance(named, ast.Name) and named.id in ({"super"} if call else {"self", "cls"})


def _own_private_names(tree: ast.Module) -> frozenset[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_oneself(node.value):
            found.add(node.attr)
    return frozenset(found)


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    if ast.get_docstring(node) is None:
        return 0
    docstring = node.body[0]
    return (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1


def main() -> int:
    """Check every module of the product."""
    found = [line for path in sorted(SOURCE.rglob("*.py")) for line in findings(path)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
