"""Hostile manifests, generated.

As a program it prints what each costs: `python tests/unit/manifests/hostile.py [NAME]`.
"""
# ruff: noqa: T201  the program below prints a table

import json
import multiprocessing
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from libraries_io_mcp.manifests import ManifestError, read_manifest

TEN_MB = 10 * 1024 * 1024
LAUGHS_XML = (
    '<?xml version="1.0"?><!DOCTYPE project [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]><project><artifactId>&a11;</artifactId></project>"
)
EXTERNAL_XML = (
    '<!DOCTYPE project [<!ENTITY x SYSTEM "file:///etc/passwd">]><project><artifactId>&x;</artifactId></project>'
)
LAUGHS_YAML = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
LOCK_ROW = '[[package]]\nname = "p{0}"\nversion = "1.0.{0}"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n\n'


def filled(piece: str, size: int = TEN_MB) -> str:
    """As many whole pieces as fit."""
    return piece * (size // len(piece.encode()))


def numbered(piece: str, count: int) -> str:
    """Pieces with a number in each."""
    return "".join(piece.format(n) for n in range(count))


SAMPLES: dict[str, tuple[str, Callable[[], str | bytes]]] = {
    "requirements, 10 MB of names": ("requirements.txt", lambda: numbered("package-{0}==1.0.{0}\n", 380_000)),
    "requirements, 10 MB of faults": ("requirements.txt", lambda: filled("!!\n")),
    "requirements, 10 MB of empty lines": ("requirements.txt", lambda: filled("\n")),
    "requirements, one line of 10 MB": ("requirements.txt", lambda: filled("a")),
    "requirements, 10 MB of continuations": ("requirements.txt", lambda: filled("a\\\n")),
    "requirements, 10 MB of blanks": ("requirements.txt", lambda: filled(" ")),
    "requirements, 10 MB of parentheses": ("requirements.txt", lambda: filled("a; (((((((((((((((((((((((((((\n")),
    "requirements, 10 MB of markers": (
        "requirements.txt",
        lambda: filled("a>=1; " + " and ".join(["python_version > '3'"] * 150) + "\n"),
    ),
    "requirements, 10,000 packages": ("requirements.txt", lambda: numbered("package-{0}>=1.{0},<2\n", 10_000)),
    "setup.cfg, 10 MB of blanks": ("setup.cfg", lambda: "[options]\n" + filled(" " * 8_000 + "\n", TEN_MB - 20)),
    "package.json, 10,000 packages": (
        "package.json",
        lambda: json.dumps({"dependencies": {f"package-{n}": f"^1.{n}.0" for n in range(10_000)}}),
    ),
    "package.json, 10 MB of packages": (
        "package.json",
        lambda: '{"dependencies":{' + ",".join(f'"package-{n}":"^1.{n}.0"' for n in range(320_000)) + "}}",
    ),
    "package.json, 10 MB of empty lists": ("package.json", lambda: '{"a":[' + filled("[],", TEN_MB - 20) + "0]}"),
    "package.json, 10,000 deep": ("package.json", lambda: '{"a":' * 10_000 + "1" + "}" * 10_000),
    "package.json, 10 MB of [": ("package.json", lambda: filled("[")),
    "package.json, number of 10 MB": ("package.json", lambda: '{"a":' + filled("1", TEN_MB - 10) + "}"),
    "package-lock v1, 900 deep": ("package-lock.json", lambda: '{"dependencies":{"a":' * 450 + "{}" + "}}" * 450),
    "package-lock v3, 10,000 packages": (
        "package-lock.json",
        lambda: json.dumps(
            {
                "lockfileVersion": 3,
                "packages": {f"node_modules/p{n}": {"version": f"1.0.{n}"} for n in range(10_000)},
            }
        ),
    ),
    "Cargo.lock, 10,000 packages": ("Cargo.lock", lambda: numbered(LOCK_ROW, 10_000)),
    "Cargo.lock, 10 MB": ("Cargo.lock", lambda: numbered(LOCK_ROW, 90_000)),
    "pyproject, 10,000 deep arrays": ("pyproject.toml", lambda: "a = " + "[" * 10_000 + "]" * 10_000),
    "pyproject, 10,000 deep tables": ("pyproject.toml", lambda: "a = " + "{a = " * 10_000 + "1" + "}" * 10_000),
    "pyproject, dotted key of 10 MB": ("pyproject.toml", lambda: filled("a.", TEN_MB - 20) + "a = 1"),
    "pyproject, 10 MB of short tables": ("pyproject.toml", lambda: numbered("[a{0}]\n", 900_000)),
    "pyproject, 390,000 tables": ("pyproject.toml", lambda: numbered("[a{0}]\n", 390_000)),
    "pyproject, 130,000 dotted tables": ("pyproject.toml", lambda: numbered("[a{0}.b]\n", 130_000)),
    "pyproject, 390,000 inline tables": ("pyproject.toml", lambda: "a = [" + "{}," * 390_000 + "]"),
    "pyproject, 190,000 dotted keys": (
        "pyproject.toml",
        lambda: "a.b.c.d.e.f.g.h.i" + ".j=1\na".join(map(str, range(19_000))) + ".b = 1",
    ),
    "pyproject, 10 MB of short keys": ("pyproject.toml", lambda: numbered("a{0}=1\n", 900_000)),
    "pyproject, 10 MB of wide strings": ("pyproject.toml", lambda: numbered('k{0} = "' + "x" * 60 + '"\n', 140_000)),
    "pyproject, 10 MB of open strings": ("pyproject.toml", lambda: 'a = """' + filled('\\"""', TEN_MB - 20)),
    "uv.lock, 10,000 packages": (
        "uv.lock",
        lambda: numbered(
            '[[package]]\nname = "p{0}"\nversion = "1.{0}"\nsource = {{ registry = "https://pypi.org/simple" }}\n'
            'wheels = [\n    {{ url = "https://files.pythonhosted.org/packages/p{0}.whl", hash = "sha256:00", '
            "size = 1 }},\n]\n\n",
            10_000,
        ),
    ),
    "pom.xml, billion laughs": ("pom.xml", lambda: LAUGHS_XML),
    "pom.xml, external entity": ("pom.xml", lambda: EXTERNAL_XML),
    "pom.xml, 10,000 deep": ("pom.xml", lambda: "<project>" * 10_000 + "</project>" * 10_000),
    "pom.xml, 10 MB of elements": ("pom.xml", lambda: "<project>" + filled("<a/>", TEN_MB - 20) + "</project>"),
    "pom.xml, attribute of 10 MB": ("pom.xml", lambda: '<project a="' + filled("a", TEN_MB - 40) + '"></project>'),
    "pom.xml, 10 MB of comments": ("pom.xml", lambda: "<project>" + filled("a<!---->", TEN_MB - 40) + "</project>"),
    "pom.xml, 10,000 packages": (
        "pom.xml",
        lambda: (
            "<project><dependencies>"
            + numbered(
                "<dependency><groupId>g</groupId><artifactId>a{0}</artifactId><version>1.{0}</version></dependency>",
                10_000,
            )
            + "</dependencies></project>"
        ),
    ),
    "pom.xml, properties that double": (
        "pom.xml",
        lambda: (
            "<project><properties>"
            + numbered("<a{0}>${{b{0}}}${{b{0}}}</a{0}><b{0}>${{a{0}}}${{a{0}}}</b{0}>", 100)
            + "</properties><dependencies>"
            + numbered(
                "<dependency><groupId>g</groupId><artifactId>a{0}</artifactId><version>${{a1}}</version></dependency>",
                9_000,
            )
            + "</dependencies></project>"
        ),
    ),
    "pnpm-lock, billion laughs": ("pnpm-lock.yaml", lambda: LAUGHS_YAML),
    "pnpm-lock, 10,000 deep flow": ("pnpm-lock.yaml", lambda: "a: " + "[" * 10_000),
    "pnpm-lock, 10,000 deep block": ("pnpm-lock.yaml", lambda: "".join(" " * n + "a:\n" for n in range(1_000))),
    "pnpm-lock, 10 MB of [": ("pnpm-lock.yaml", lambda: filled("[")),
    "pnpm-lock, 10 MB of - - -": ("pnpm-lock.yaml", lambda: filled("- ")),
    "pnpm-lock, 10 MB of keys": ("pnpm-lock.yaml", lambda: numbered("k{0}: 1\n", 900_000)),
    "pnpm-lock, 10 MB of ?": ("pnpm-lock.yaml", lambda: filled("? ")),
    "pnpm-lock, 10 MB of %TAG": ("pnpm-lock.yaml", lambda: numbered("%TAG !a{0}! b\n", 500_000) + "---\na: 1"),
    "pnpm-lock, 10 MB of {}": ("pnpm-lock.yaml", lambda: "a: [" + filled("{},", TEN_MB - 20) + "0]"),
    "pnpm-lock, line of 10 MB": ("pnpm-lock.yaml", lambda: "a: " + filled("x ", TEN_MB - 20)),
    "pnpm-lock, 10,000 packages": (
        "pnpm-lock.yaml",
        lambda: (
            "lockfileVersion: '9.0'\npackages:\n"
            + numbered(
                "  p{0}@1.0.{0}:\n    resolution: {{integrity: sha512-aa}}\n    engines: {{node: '>=4'}}\n", 10_000
            )
        ),
    ),
    "yarn.lock, 10 MB": ("yarn.lock", lambda: numbered('a{0}@^1:\n  version "1.0.{0}"\n\n', 280_000)),
    "yarn.lock, header of 10 MB": ("yarn.lock", lambda: filled("a@1, ")),
    "go.mod, 10 MB": ("go.mod", lambda: "require (\n" + numbered("\ta.io/m{0} v1.0.0\n", 450_000)),
    "Gemfile, 10 MB": ("Gemfile", lambda: numbered('gem "g{0}", "~> 1"\n', 480_000)),
    "Gemfile, 10 MB of open blocks": ("Gemfile", lambda: filled("group :a do\n")),
    "Gemfile, 10 MB of commas": ("Gemfile", lambda: filled('gem "a",\n')),
    "Gemfile, blocks around each gem": (
        "Gemfile",
        lambda: filled("group :a do\n", 600) + filled('gem "a"\n', TEN_MB - 1_000),
    ),
    "Gemfile.lock, 10 MB": ("Gemfile.lock", lambda: "GEM\n  specs:\n" + numbered("    g{0} (1.0)\n", 500_000)),
    "mix.lock, 10 MB": ("mix.lock", lambda: filled('"a": {:hex, :a, "1.0"},\n')),
    "10 MB of NUL": ("requirements.txt", lambda: b"\x00" * TEN_MB),
    "10 MB of Latin-1": ("requirements.txt", lambda: b"\xe9" * TEN_MB),
    "10 MB of nothing known": ("", lambda: filled("lorem ipsum ")),
    "11 MB": ("requirements.txt", lambda: "a" * (TEN_MB + 1)),
}

SLOW = frozenset(
    {
        "pyproject, 390,000 tables",
        "pyproject, 130,000 dotted tables",
        "pyproject, 390,000 inline tables",
        "pyproject, 10 MB of open strings",
        "pyproject, 10 MB of wide strings",
        "requirements, 10 MB of markers",
        "requirements, 10 MB of parentheses",
        "requirements, 10 MB of continuations",
        "Gemfile, 10 MB of commas",
        "Gemfile, blocks around each gem",
        "pnpm-lock, 10 MB of keys",
        "pnpm-lock, 10 MB of {}",
        "package.json, 10 MB of empty lists",
        "pom.xml, 10 MB of elements",
        "pom.xml, properties that double",
    }
)
"""Bounded too, but a second or more each: the end-to-end tests read them, the fast tests leave them out."""


MOST_MIB: Final = 120
"""Memory that reading a sample may take beside its own text."""
MORE_MIB: Final = {
    # What the parsers of the standard library make of 10 MB of the smallest things there are.
    "package.json, 10 MB of empty lists": 400,
    "pyproject, 390,000 tables": 500,
    "pyproject, 130,000 dotted tables": 400,
}


class Cost(NamedTuple):
    """What reading one sample took: megabytes of text, seconds, MiB of memory above the start, and the outcome."""

    megabytes: float
    seconds: float
    mib: float
    outcome: str


def peak() -> float:
    """The largest resident size so far, MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def cost(name: str) -> Cost:
    """Read one sample; in a process of its own, or peaks add up."""
    filename, make = SAMPLES[name]
    text = make()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew here
    before = peak()
    start = time.perf_counter()
    try:
        manifest = read_manifest(text, filename or None)
        outcome = f"{len(manifest.packages)} packages, {len(manifest.unread)} unread, {manifest.truncated}"
    except ManifestError as error:
        outcome = str(error)
    return Cost(len(text) / 1e6, time.perf_counter() - start, peak() - before, outcome)


def costs(names: Iterable[str]) -> dict[str, Cost]:
    """Of each sample, read in a process of its own. From a process that holds little: its children hold the same."""
    names = list(names)
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        return dict(zip(names, pool.imap(cost, names), strict=True))


def too_much(found: Mapping[str, Cost]) -> dict[str, Cost]:
    """Those that took more memory than they may."""
    return {name: cost for name, cost in found.items() if cost.mib > MORE_MIB.get(name, MOST_MIB)}


def main() -> None:
    """Measure each sample."""
    print("| sample | MB | s | MiB above start | outcome |\n|---|---|---|---|---|")
    for name, (megabytes, seconds, mib, outcome) in costs(sys.argv[1:] or SAMPLES).items():
        print(f"| {name} | {megabytes:.1f} | {seconds:.2f} | {mib:.0f} | {outcome[:110]} |")


if __name__ == "__main__":
    main()
