"""yarn.lock: the format of Yarn 1, and the YAML of Yarn 2 and later ("berry").

No well-kept parser of the old format exists for Python. It is lines: a header with the ranges that led here, and
indented details; only the header and `version` matter to us.
"""

import re
from collections.abc import Mapping
from typing import Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.lines import numbered
from libraries_io_mcp.manifests.manifest import Declared
from libraries_io_mcp.manifests.npm_spec import npm_spec
from libraries_io_mcp.manifests.yaml_document import yaml_table

MAX_HEADER: Final = 65_536
_ENTRY: Final = re.compile(r"^[^\s#]", re.MULTILINE)
_BERRY: Final = re.compile(r"^__metadata:", re.MULTILINE)


def read_yarn_lock(text: str, found: Collector) -> None:
    """Every locked package; the lock does not tell which ones the project names itself."""
    if _BERRY.search(text):
        _read_berry(text, found)
    else:
        _read_classic(text, found)


def _read_classic(text: str, found: Collector) -> None:
    header, at, version = "", 0, ""
    for number, line in numbered(text, found, longest=MAX_HEADER, entry=_ENTRY):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] not in " \t":
            _add_classic(header, version, at, found)
            header, at, version = line.strip().rstrip(":"), number, ""
        elif line.startswith("  version "):
            version = line[10:].strip().strip('"')
    _add_classic(header, version, at, found)


def _add_classic(header: str, version: str, line: int, found: Collector) -> None:
    if not header or found.full:
        found.skip(1 if header else 0)
        return
    specs = [_parted(spec.strip().strip('"')) for spec in header.split(",")[:100]]
    name, wanted = specs[0]
    spec = npm_spec(name, wanted)
    problem = spec.problem or (None if version else "no version is locked")
    if problem:
        found.refuse(header, problem, line=line)
        return
    ranges = [npm_spec(one, text).requirement for one, text in specs]
    _add(spec.name, ", ".join(text for text in ranges if text) or None, version, found, line=line)


def _read_berry(text: str, found: Collector) -> None:
    for header, value in yaml_table(text).items():
        if header == "__metadata":
            continue
        if found.full:
            found.skip()
            continue
        details = value if isinstance(value, Mapping) else {}
        name, where = _parted(str(details.get("resolution") or ""))
        version = details.get("version")
        if not where.startswith("npm:") or not isinstance(version, str):
            found.refuse(header, "a workspace member, path, patch or repository, no released version", path=header)
        else:
            _add(name, _berry_ranges(header), version, found, path=header)


def _berry_ranges(header: str) -> str | None:
    specs = [_parted(spec.strip()) for spec in header.split(",")[:100]]
    ranges = [npm_spec(name, wanted).requirement for name, wanted in specs]
    return ", ".join(text for text in ranges if text) or None


def _add(
    name: str, ranges: str | None, version: str, found: Collector, *, line: int | None = None, path: str | None = None
) -> None:
    found.add(Declared("NPM", name, ranges, version, "locked", direct=None, line=line, path=path))


def _parted(spec: str) -> tuple[str, str]:
    """`@scope/name@range` to its name and range."""
    at = spec.find("@", 1)
    return (spec, "") if at < 0 else (spec[:at], spec[at + 1 :])
