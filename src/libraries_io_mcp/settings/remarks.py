"""What is odd about the sources of settings without being wrong: said in the log, since the program can do its work."""

import os
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Final, get_args

from dotenv.parser import parse_stream
from pydantic import SecretStr

from libraries_io_mcp.settings.group import ENV_FILE, Group, env_file, variable

OURS: Final = "LIBRARIES_IO_"
"""Nobody else's variables begin like this; those of other programs may begin with the prefixes of the other groups."""
FOREIGN: Final = "OTEL_"
"""OpenTelemetry has more variables than those that are settings here."""
LIKENESS: Final = 0.8


def remarks(groups: Iterable[type[Group]]) -> tuple[str, ...]:
    """One line each: lines of `.env` that are no `NAME=value`, and variables that look like a setting and are none."""
    return (*_bad_lines(ENV_FILE), *_misspelt(tuple(groups), {*os.environ, *env_file()}))


def _bad_lines(path: Path) -> Iterator[str]:
    if path.is_file():
        with path.open(encoding="utf-8") as file:
            numbers = [str(binding.original.line) for binding in parse_stream(file) if binding.error]
        if numbers:
            yield f".env: passed over line {', '.join(numbers)}: not NAME=value"


def _misspelt(groups: tuple[type[Group], ...], found: set[str]) -> Iterator[str]:
    known = {variable(group, field) for group in groups for field in group.model_fields}
    known |= {f"{variable(group, field)}_FILE" for group in groups for field in _secrets(group)}
    prefixes = {str(group.model_config.get("env_prefix", "")) for group in groups} - {"", FOREIGN}
    # Names are read in upper and lower case alike.
    for name in sorted({name.upper() for name in found} - known):
        if name.startswith(tuple(prefixes)):
            near = get_close_matches(name, known, 1, LIKENESS)
            if near or name.startswith(OURS):
                yield f"{name}: there is no such setting" + (f"; did you mean {near[0]}?" if near else "")


def _secrets(group: type[Group]) -> Iterator[str]:
    for name, field in group.model_fields.items():
        if SecretStr in (field.annotation, *get_args(field.annotation)):
            yield name
