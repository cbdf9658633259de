"""What `libraries-io-mcp alerts check` says of rule files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from libraries_io_mcp.alerting.rules import AlertingRule, Group, default_rules, load_rules
from libraries_io_mcp.errors import SettingsError


def check(paths: Sequence[Path], rules_path: Path | None) -> tuple[tuple[str, ...], bool]:
    """Lines to print, and whether all is well.

    Args:
        paths: files and folders; none means `rules_path`.
        rules_path: what the server would load; `None`: the rules that come with it.

    Raises:
        SettingsError: a path that is not there.
    """
    asked = tuple(paths) or (rules_path or default_rules(),)
    for path in asked:
        if not path.exists():
            named = f"ALERT_RULES_PATH={str(path)!r}" if not paths else f"alerts check {path}"
            raise SettingsError(f"{named}: no such file or folder")
    lines = [line for path in asked for line in _lines(path)]
    return tuple(text for text, _problem in lines), not any(problem for _text, problem in lines)


def _lines(path: Path) -> Iterator[tuple[str, bool]]:
    """Each line of a path, and whether it is a problem."""
    everything = load_rules(path)
    if not everything.files:
        yield from ((str(problem), True) for problem in everything.problems)
    for file in map(Path, everything.files):
        loaded = load_rules(file)
        yield f"{file}: {_counts(loaded.groups)}{_refused(len(loaded.problems))}", False
        yield from ((str(problem), True) for problem in loaded.problems)


def _counts(groups: Sequence[Group]) -> str:
    rules = [rule for group in groups for rule in group.rules]
    alerting = sum(isinstance(rule, AlertingRule) for rule in rules)
    kinds = ((len(groups), "group"), (alerting, "alerting rule"), (len(rules) - alerting, "recording rule"))
    return ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in kinds)


def _refused(problems: int) -> str:
    return f"; {problems} problem{'' if problems == 1 else 's'}" if problems else ""
