"""House rules that no linter knows: module size, function size, a docstring on every module.

Prints one line a finding and exits 1 if there is any.
"""

import ast
import sys
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src" / "libraries_io_mcp"
MODULE_LINES = 400
FUNCTION_LINES = 50


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
    return found


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
