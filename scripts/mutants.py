"""Mutants: small faults put into the code one at a time, to see whether the tests notice.

    python scripts/mutants.py draw [--seed N] [--count N]   choose them anew and write tests/mutation/mutants.json
    python scripts/mutants.py run [--jobs N] [--write]      say for each whether a test fails; --write notes it down

`run` fails if a mutant survives that the list says was killed. A mutant is known by its file, its line's text and what
is replaced, so that it is found again when lines move; one whose line is gone is counted as gone. The tests run are
those in this process that reach the mutated line, by coverage, so a run takes about a quarter of an hour on two cores.
"""

import argparse
import ast
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, Final

import coverage
import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
LIST: Final = ROOT / "tests" / "mutation" / "mutants.json"
PACKAGE: Final = Path("src/libraries_io_mcp")
FOLDERS: Final = ("librariesio", "alerting", "manifests")
SECONDS: Final = 300
MOST_TESTS: Final = 150
QUIET: Final = ("--exitfirst", "-q", "-p", "no:cacheprovider", "-p", "no:randomly")
PRELOADED: Final = (
    "pytest",
    "hypothesis",
    "xdist.plugin",
    "pytest_cov.plugin",
    "anyio.pytest_plugin",
    "fastmcp",
    "opentelemetry.sdk.trace",
    "opentelemetry.sdk.metrics",
    "promql_parser",
    "redis.asyncio",
    "uvicorn",
)
"""What nearly every test imports, and no mutant changes."""
SWAPS: Final[dict[type, tuple[str, str]]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"), ast.And: ("and", "or"), ast.Or: ("or", "and"), ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "*"), ast.Mod: ("%", "*"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: on the `nth` line of `file` that reads `line`, `old` at `column` becomes `new`."""

    file: str
    line: str
    nth: int
    column: int
    old: str
    new: str
    outcome: str = ""
    """What came of it when drawn: killed, survived, timeout (as good as killed), ended (by a signal: no verdict)."""

    def applied(self, source: str) -> str | None:
        """The source with the fault; `None` if its line is gone."""
        lines = source.splitlines(keepends=True)
        places = [number for number, line in enumerate(lines) if line.strip() == self.line]
        if len(places) <= self.nth:
            return None
        number = places[self.nth]
        line = lines[number]
        start = len(line) - len(line.lstrip()) + self.column
        if line[start : start + len(self.old)] != self.old:
            return None
        lines[number] = line[:start] + self.new + line[start + len(self.old) :]
        return "".join(lines)

    def number(self, source: str) -> int:
        """The number of its line, from 1."""
        return [number for number, line in enumerate(source.splitlines(), 1) if line.strip() == self.line][self.nth]


def _replacements(tree: ast.AST, source: str) -> Iterator[tuple[int, int, str, str]]:
    """Line, column, old and new text of each fault that stands on one line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from _between(source, node.left, node.comparators[0], *SWAPS[type(node.ops[0])])
        elif isinstance(node, ast.BoolOp):
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from _between(source, left, right, *SWAPS[type(node.op)])
        elif isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
            yield from _between(source, node.left, node.right, *SWAPS[type(node.op)])
        elif isinstance(node, ast.Constant) and node.value in {True, False} and isinstance(node.value, bool):
            yield node.lineno, node.col_offset, str(node.value), str(not node.value)
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            text = ast.get_source_segment(source, node) or ""
            yield node.lineno, node.col_offset, text, str(node.value + 1)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node.lineno, node.col_offset, "not ", ""


def _between(source: str, left: ast.expr, right: ast.expr, old: str, new: str) -> Iterator[tuple[int, int, str, str]]:
    if left.end_lineno != right.lineno or left.end_col_offset is None:
        return
    line = source.splitlines()[right.lineno - 1]
    place = line.find(f" {old} ", left.end_col_offset, right.col_offset)
    if place >= 0 and line.isascii():
        yield right.lineno, place + 1, old, new


def draw(seed: int, count: int) -> list[Mutant]:
    """So many mutants of the three folders, the same ones for the same seed and code."""
    found = []
    for path in sorted(path for folder in FOLDERS for path in (ROOT / PACKAGE / folder).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        for number, column, old, new in _replacements(ast.parse(source), source):
            text = lines[number - 1]
            nth = sum(line.strip() == text.strip() for line in lines[: number - 1])
            indent = len(text) - len(text.lstrip())
            mutant = Mutant(str(path.relative_to(ROOT)), text.strip(), nth, column - indent, old, new)
            if (mutated := mutant.applied(source)) is not None and _compiles(mutated):
                found.append(mutant)
    return sorted(random.Random(seed).sample(found, count), key=lambda each: (each.file, each.line, each.column))  # noqa: S311


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def covering(root: Path, folder: Path) -> tuple[coverage.CoverageData, frozenset[str]]:
    """Which test reaches which line, and the tests that fail without any mutant, which so say nothing."""
    data, config, cache = folder / "coverage", folder / "coveragerc", folder / "cache"
    sources = "\n    ".join(str(root / PACKAGE / name) for name in FOLDERS)
    config.write_text(f"[run]\nsource =\n    {sources}\n", encoding="utf-8")
    command = (
        sys.executable, "-m", "pytest", *_tests(root), "-q", "-p", "no:randomly", "--numprocesses", "2", "--dist",
        "loadfile", f"--override-ini=cache_dir={cache}", "--cov", f"--cov-config={config}", "--cov-context=test",
        "--cov-report=",
    )  # fmt: skip
    subprocess.run(command, cwd=root, env={**os.environ, "COVERAGE_FILE": str(data)}, check=False)
    found = coverage.CoverageData(basename=str(data))
    found.read()
    failed = cache / "v" / "cache" / "lastfailed"
    return found, frozenset(json.loads(failed.read_text(encoding="utf-8")) if failed.exists() else ())


def _tests(root: Path) -> list[str]:
    """Tests whose code under test runs in their own process, where coverage sees it."""
    clients = sorted(str(path.relative_to(root)) for path in (root / "tests/contract").glob("test_client_*.py"))
    return [*(f"tests/unit/{name}" for name in (*FOLDERS, "answer", "judging", "tools")), *clients]


def _tests_of(mutant: Mutant, root: Path, data: coverage.CoverageData, failing: frozenset[str]) -> list[str]:
    """Those that reach the line, the module's own first; for a line that only an import runs, those of its file."""
    source = (root / mutant.file).read_text(encoding="utf-8")
    lines = data.contexts_by_lineno(str(root / mutant.file))
    contexts = {context for context in lines.get(mutant.number(source), []) if context}
    contexts = contexts or {context for of_line in lines.values() for context in of_line if context}
    tests = {context.rpartition("|")[0] for context in contexts} - failing
    path = Path(mutant.file)
    own = (f"test_{path.stem}.py", f"/{path.parent.name}/", "unit")
    return sorted(tests, key=lambda test: (*(part not in test for part in own), test))[:MOST_TESTS]


def _run_tests(root: Path, tests: list[str]) -> None:
    """Run them in this process, which was forked from one that has imported the libraries, and exit with the code."""
    sys.dont_write_bytecode = True
    os.chdir(root)
    sys.path[:0] = [str(root / "src"), str(root)]
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(quiet, descriptor)
    os.setpgid(0, 0)  # so that what they start can be ended with them
    os._exit(pytest.main([*QUIET, *tests]))


def _outcome(mutant: Mutant, root: Path, tests: list[str], context: ForkServerContext) -> str:
    path = root / mutant.file
    original = path.read_text(encoding="utf-8")
    times = path.stat()
    mutated = mutant.applied(original) or ""
    process = context.Process(target=_run_tests, args=(root, tests))
    try:
        path.write_text(mutated, encoding="utf-8")
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            os.killpg(process.pid or 0, signal.SIGKILL)
            process.join()
            return "timeout"
    finally:
        path.write_text(original, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # so that its compiled form is valid again
    if process.exitcode == pytest.ExitCode.USAGE_ERROR:
        # The mutant has changed the names of the tests' parameters.
        return _outcome(mutant, root, sorted({test.partition("::")[0] for test in tests}), context)
    if process.exitcode is not None and process.exitcode < 0:
        return "ended"
    return "survived" if process.exitcode == pytest.ExitCode.OK else "killed"


def run(mutants: list[Mutant], jobs: int) -> list[str]:
    """The outcome of each."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    with tempfile.TemporaryDirectory() as folder:
        data, failing = covering(ROOT, Path(folder))
        copies = [Path(folder) / f"copy{number}" for number in range(jobs)]
        ignored = shutil.ignore_patterns(".venv*", ".tools", ".git", ".mypy_cache", ".pytest_cache", ".coverage*")
        for copy in copies:
            shutil.copytree(ROOT, copy, ignore=ignored)
        work = iter(enumerate(mutants))

        def take(copy: Path) -> list[tuple[int, str]]:
            outcomes = []
            for place, mutant in work:
                source = (ROOT / mutant.file).read_text(encoding="utf-8") if (ROOT / mutant.file).exists() else ""
                if mutant.applied(source) is None:
                    outcome = "gone"
                else:
                    tests = _tests_of(mutant, ROOT, data, failing)
                    outcome = _outcome(mutant, copy, tests, context) if tests else "survived"
                print(f"{place + 1:3}/{len(mutants)} {outcome:8} {mutant.file}: {mutant.line[:70]}", flush=True)
                outcomes.append((place, outcome))
            return outcomes

        with ThreadPoolExecutor(jobs) as pool:
            results = dict(pair for part in pool.map(take, copies) for pair in part)
    return [results[place] for place in range(len(mutants))]


def main() -> int:
    """Draw, or run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("draw")
    drawing.add_argument("--seed", type=int, default=20261201)
    drawing.add_argument("--count", type=int, default=200)
    running = commands.add_parser("run")
    running.add_argument("--jobs", type=int, default=2)
    running.add_argument("--write", action="store_true", help="note the outcomes in the list")
    options = parser.parse_args()
    if options.command == "draw":
        _write(draw(options.seed, options.count))
        return 0
    mutants = [Mutant(**each) for each in json.loads(LIST.read_text(encoding="utf-8"))]
    outcomes = run(mutants, options.jobs)
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(Counter(outcomes).items())))
    if options.write:
        _write(
            [
                Mutant(**{**asdict(mutant), "outcome": outcome})
                for mutant, outcome in zip(mutants, outcomes, strict=True)
            ]
        )
        return 0
    lost = [
        mutant for mutant, outcome in zip(mutants, outcomes, strict=True)
        if outcome == "survived" and mutant.outcome in {"killed", "timeout"}
    ]  # fmt: skip
    for mutant in lost:
        print(f"was killed, and survives now: {mutant.file}: {mutant.line}: {mutant.old!r} -> {mutant.new!r}")
    return 1 if lost else 0


def _write(mutants: list[Mutant]) -> None:
    rows: list[dict[str, Any]] = [asdict(mutant) for mutant in mutants]
    LIST.parent.mkdir(exist_ok=True)
    LIST.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
