"""Gemfile, read without running it: only what stands there literally is taken, everything else is said to be unread."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.faults import ManifestError
from libraries_io_mcp.manifests.lines import MAX_LINE, numbered
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind

MAX_BLOCKS: Final = 60
_STRING: Final = re.compile(r"""^(?:"([^"\\#]*)"|'([^'\\]*)')""")
_GEM: Final = re.compile(r"^gem[ \t(\"']")
_EXACT: Final = re.compile(r"^(?:=\s*)?(\d[0-9A-Za-z.]*)$")
_OPTION: Final = re.compile(r"^(?::(\w+)\s*=>|(\w+):)\s*")
_SYMBOL: Final = re.compile(r":(\w+)|[\"'](\w+)[\"']")
_QUOTED: Final = re.compile(r"\"(?:\\.|[^\"\\])*+(?:\"|$)|'(?:\\.|[^'\\])*+(?:'|$)")
_OPENS: Final = re.compile(
    r"(?:^|[=(;]\s*|\bthen\s+|\belse\s+)"
    r"(?:(?:while|until|for)\b(?:(?!\bdo\b)[^;])*+(?:\bdo\b)?|(?:if|unless|case|begin|def|class|module)\b)"
    r"|\bdo\b|\{"
)
_CLOSES: Final = re.compile(r"(?<![\w:.])end\b(?![:?=])|\}")
_GOES_ON: Final = "\\"
_BRANCHES: Final = frozenset({"else", "elsif", "when"})
_GEM_WITHIN: Final = re.compile(r"(?<![\w:.])gem\b(?!:)")
_ELSEWHERE: Final = frozenset({"git", "github", "gitlab", "bitbucket", "gist", "path"})
_UNREAD: Final = {
    "gemspec": "the dependencies of the gem itself stand in its gemspec",
    "eval_gemfile": "an include; only the text at hand is read",
}
_NOTED: Final = {
    "ruby": "the Ruby interpreter, not a package",
    "source": "where gems come from, not a package",
}
_GROUP_KINDS: Final[dict[str, DependencyKind]] = {"development": "dev", "test": "test"}


@dataclass(slots=True)
class _Block:
    """One open `do ... end` or condition around the lines."""

    word: str
    text: str
    groups: tuple[str, ...] = ()


@dataclass(slots=True)
class _Gem:
    """The literal parts of one `gem` line; `rest` is what is not literal."""

    strings: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    rest: str = ""


def read_gemfile(text: str, found: Collector) -> None:
    """Every literal `gem` line with its groups; a condition around it becomes the marker.

    Raises:
        ManifestError: more than 60 blocks inside each other.
    """
    blocks: list[_Block] = []
    for number, statement in _statements(text, found):
        code = _QUOTED.sub("''", statement)
        word = re.split(r"[^\w]", statement, maxsplit=1)[0]
        deeper = len(_OPENS.findall(code)) - len(_CLOSES.findall(code))
        if _GEM.match(statement):
            _read_gem(statement, blocks, number, found)
        elif not _is_frame(word, deeper) or _GEM_WITHIN.search(code):
            _read_other(word, statement, number, found)
        if word in _BRANCHES and blocks:
            blocks[-1:] = [_Block("if", statement)]
        elif deeper < 0:
            del blocks[deeper:]
        else:
            blocks += [_Block(word, statement, _names(statement) if word == "group" else ())] * deeper
        if len(blocks) > MAX_BLOCKS:
            raise ManifestError("The Gemfile is nested too deep to be read.")


def _is_frame(word: str, deeper: int) -> bool:
    """Whether a line only begins, parts or ends a block."""
    return deeper > 0 or word in _BRANCHES or (deeper < 0 and word in {"end", ""})


def _read_other(word: str, statement: str, number: int, found: Collector) -> None:
    if word in _NOTED:
        found.note(statement, _NOTED[word], line=number)
    else:
        found.refuse(statement, _UNREAD.get(word, "not a literal gem line; a Gemfile is not run"), line=number)


def _statements(text: str, found: Collector) -> Iterator[tuple[int, str]]:
    r"""Lines without comments; one that ends with a comma or a `\` goes on in the next."""
    pending, first = "", 0
    for number, line in _program(text, found):
        content = _without_comment(line).strip()
        if not content:
            continue
        first = first if pending else number
        goes_on = content.endswith((",", _GOES_ON))
        pending = f"{pending} {content.removesuffix(_GOES_ON)}".strip()
        if not goes_on or len(pending) > MAX_LINE:
            yield first, pending
            pending = ""
    if pending:
        yield first, pending


def _program(text: str, found: Collector) -> Iterator[tuple[int, str]]:
    """Lines without the comments between `=begin` and `=end`, and without what stands after `__END__`."""
    begun = 0
    for number, line in numbered(text, found):
        if begun:
            begun = 0 if line.startswith("=end") else begun
        elif line.startswith("=begin"):
            begun = number
        elif line == "__END__":
            found.note(line, "what follows is data of the program", line=number)
            return
        else:
            yield number, line
    if begun:
        found.refuse("=begin", "a comment without =end; what follows was not read", line=begun)


def _without_comment(line: str) -> str:
    if "#" not in line:
        return line
    quote = ""
    for position, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            return line[:position]
    return line


def _read_gem(statement: str, blocks: list[_Block], number: int, found: Collector) -> None:
    gem = _parse(statement[3:].strip().removeprefix("(").removesuffix(")"))
    if not gem.strings:
        found.refuse(statement, "the gem's name is not literal; a Gemfile is not run", line=number)
        return
    around = next((block.word for block in reversed(blocks) if block.word in _ELSEWHERE), None)
    outside = around or next((key for key in gem.options if key in _ELSEWHERE), None)
    if outside:
        found.refuse(statement, f"taken from {outside}, no released version", line=number)
        return
    if gem.rest:
        found.refuse(statement, f"only partly literal; not read: {gem.rest[:80]}", line=number)
    groups = [*(group for block in blocks for group in block.groups), *_names(_group_option(gem))]
    conditions = [block.text for block in blocks if block.word not in {"group", "source"}]
    requirement = ", ".join(gem.strings[1:]) or None
    exact = _EXACT.match(requirement or "")
    found.add(
        Declared(
            platform="Rubygems",
            name=gem.strings[0],
            requirement=requirement,
            version=exact.group(1) if exact else None,
            kind=_kind(groups),
            group=",".join(groups) or None,
            marker=" and ".join(conditions) or None,
            line=number,
        )
    )


def _parse(arguments: str) -> _Gem:
    gem = _Gem()
    rest = arguments.strip()
    while string := _STRING.match(rest):
        gem.strings.append(string.group(1) if string.group(1) is not None else string.group(2))
        rest = rest[string.end() :].strip().removeprefix(",").strip()
    if not rest:
        return gem
    for part in _options(rest):
        option = _OPTION.match(part)
        if option:
            gem.options[option.group(1) or option.group(2)] = part[option.end() :]
        else:
            gem.rest = f"{gem.rest} {part}".strip()
    return gem


def _options(text: str) -> list[str]:
    """Parts between commas, but not between those in brackets or quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "[({":
            depth += 1
        elif character in "])}":
            depth -= 1
        elif character == "," and depth <= 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [part for part in [*parts, text[start:].strip()] if part]


def _group_option(gem: _Gem) -> str:
    return gem.options.get("group", "") or gem.options.get("groups", "")


def _names(text: str) -> tuple[str, ...]:
    return tuple(symbol or string for symbol, string in _SYMBOL.findall(text))


def _kind(groups: list[str]) -> DependencyKind:
    """A gem of several groups is needed for the most important one."""
    kinds: list[DependencyKind] = [_GROUP_KINDS.get(group, "runtime") for group in groups]
    return "runtime" if "runtime" in kinds or not kinds else "dev" if "dev" in kinds else "test"
