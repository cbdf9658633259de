"""Rule files in Prometheus' format: loaded, checked, and every mistake said in one line.

Prometheus refuses a whole configuration for one mistake; here the other rules are loaded, since some alerts are better
than none. What is refused says so.
"""

from pathlib import Path
from typing import Final

from libraries_io_mcp.alerting.rule import AlertingRule, Group, LoadedRules, Problem, RecordingRule, Rule
from libraries_io_mcp.alerting.rule_file import read_rule_file

__all__ = [
    "DEFAULT_INTERVAL_SECONDS",
    "AlertingRule",
    "Group",
    "LoadedRules",
    "Problem",
    "RecordingRule",
    "Rule",
    "default_rules",
    "load_rules",
    "rule_files",
]

DEFAULT_INTERVAL_SECONDS: Final = 15.0
"""What `otel/prometheus.yml` says for groups without an interval of their own."""
SUFFIXES: Final = (".yml", ".yaml")


def load_rules(path: Path, *, default_interval: float = DEFAULT_INTERVAL_SECONDS) -> LoadedRules:
    """Load a file, or every *.yml and *.yaml of a folder in the order of their names. Never raises.

    Args:
        path: a file or a folder; folders in it are not looked into.
        default_interval: seconds between evaluations of a group that says nothing of it.
    """
    try:
        files = rule_files(path)
    except OSError as error:
        why = f"can't be read: {error.strerror or type(error).__name__}"
        return LoadedRules((), (), (Problem(str(path), "", "", "", why),))
    read = [read_rule_file(file, default_interval) for file in files]
    problems = [problem for _groups, found in read for problem in found]
    if not files:
        problems.append(Problem(str(path), "", "", "", "no rule files (*.yml, *.yaml) in this folder"))
    return LoadedRules(
        tuple(str(file) for file in files), tuple(group for groups, _found in read for group in groups), tuple(problems)
    )


def rule_files(path: Path) -> tuple[Path, ...]:
    """The rule files that a path means: the file itself, or those in a folder. Raises OSError."""
    if not path.is_dir():
        return (path,)
    return tuple(sorted(each for each in path.iterdir() if each.suffix in SUFFIXES and each.is_file()))


def default_rules() -> Path:
    """The folder of the rules that come with the server: in the package, or in the checkout that it runs from."""
    packaged = Path(__file__).parent / "default_rules"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "otel" / "rules"
