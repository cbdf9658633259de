"""requirements.txt and constraints.txt, as pip reads them; nothing outside the given text is opened."""

import re
from collections.abc import Iterator
from typing import Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.lines import numbered
from libraries_io_mcp.manifests.manifest import DependencyKind
from libraries_io_mcp.manifests.pep508 import read_requirement

MAX_LOGICAL_LINE: Final = 65_536
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*$")
_KIND_WORDS: Final[tuple[tuple[str, DependencyKind], ...]] = (
    ("constraint", "constraint"),
    ("dev", "dev"),
    ("test", "test"),
    ("doc", "dev"),
    ("lint", "dev"),
    ("build", "build"),
)
_OPTIONS: Final = (
    (("-r", "--requirement"), "an include; only the text at hand is read, so send the other file's content as well"),
    (("-c", "--constraint"), "a reference to a constraints file; only the text at hand is read"),
    (("-e", "--editable"), "an editable install of a directory or repository, no released version"),
)
_ARCHIVES: Final = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".egg")


def read_requirements_txt(text: str, found: Collector) -> None:
    """Every requirement with its line; includes, URLs and paths become unread pieces, other options are noted."""
    kind = _kind(found.filename)
    for number, line in _logical_lines(text, found):
        content = _COMMENT.sub("", line).strip()
        if not content:
            continue
        problem = _problem(content)
        if problem:
            found.refuse(content, problem, line=number)
        elif content.startswith("-"):
            found.note(content, "an option of pip, not a package", line=number)
        else:
            # What follows the requirement are pip's own options: hashes, build settings.
            read_requirement(content.partition(" --")[0].strip(), found, kind=kind, line=number)


def _kind(filename: str) -> DependencyKind:
    return next((kind for word, kind in _KIND_WORDS if word in filename), "runtime")


def _logical_lines(text: str, found: Collector) -> Iterator[tuple[int, str]]:
    r"""Lines joined where one ends with `\`; a comment line ends the joining, as in pip."""
    pieces: list[str] = []
    first = size = 0
    for number, line in numbered(text, found, longest=MAX_LOGICAL_LINE):
        first = first if pieces else number
        is_comment = line.lstrip().startswith("#")
        continues = line.endswith("\\") and not is_comment
        pieces.append(line[:-1] if continues else "" if is_comment and pieces else line)
        size += len(line)
        if continues and size <= MAX_LOGICAL_LINE:
            continue
        if size > MAX_LOGICAL_LINE:
            found.refuse(pieces[0], f"a logical line of more than {MAX_LOGICAL_LINE} characters", line=first)
        else:
            yield first, " ".join(pieces)
        pieces, size = [], 0
    if pieces:
        yield first, " ".join(pieces)


def _problem(content: str) -> str | None:
    """Why this line names no package of the index; `None` for what looks like a requirement."""
    if content.startswith("-"):
        option = re.split(r"[\s=]", content, maxsplit=1)[0]
        return next((reason for names, reason in _OPTIONS if option in names or content[:2] in names), None)
    before_marker = content.partition(";")[0]
    if "://" in before_marker and " @ " not in before_marker:
        return "a URL or repository and no released version"
    is_path = content.startswith((".", "/", "~", "\\")) or before_marker.partition(" ")[0].endswith(_ARCHIVES)
    return "a file or directory and no released version" if is_path and " @ " not in before_marker else None
