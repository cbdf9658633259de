"""`libraries-io-mcp alerts check` as typed in a shell."""

from pathlib import Path

from tests.support.command import run_command

GOOD = "groups:\n  - name: g\n    rules:\n      - {alert: Down, expr: up == 0}\n      - {record: a, expr: up}\n"
BAD = (
    "groups:\n  - name: g\n    rules:\n      - {alert: Down, expr: up ==}\n      - {alert: Slow, expr: up, for: long}\n"
)


def test_the_rules_that_come_with_the_server(tmp_path: Path) -> None:
    done = run_command("alerts", "check", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert any(line.split("/")[-1] == "watchdog.yml: 1 group, 1 alerting rule, 0 recording rules" for line in lines)


def test_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "good.yml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "more" / "bad.yaml").write_text(BAD, encoding="utf-8")
    assert run_command("alerts", "check", "good.yml", folder=tmp_path).returncode == 0
    done = run_command("alerts", "check", "good.yml", "more", folder=tmp_path)
    good, bad, first, second = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert good == "good.yml: 1 group, 1 alerting rule, 1 recording rule"
    assert bad == "more/bad.yaml: 1 group, 0 alerting rules, 0 recording rules; 2 problems"
    assert first.startswith("more/bad.yaml: group g, rule Down, field expr: ")
    assert second == "more/bad.yaml: group g, rule Slow, field for: 'long' is no duration such as 30s, 5m or 1h30m"


def test_the_rules_that_a_setting_names(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(GOOD, encoding="utf-8")
    done = run_command("alerts", "check", folder=tmp_path, ALERT_RULES_PATH="own.yml")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    missing = run_command("alerts", "check", folder=tmp_path, ALERT_RULES_PATH="gone.yml")
    assert missing.returncode == 2
    assert missing.stderr == "libraries-io-mcp: ALERT_RULES_PATH='gone.yml': no such file or folder\n"


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    done = run_command("alerts", "check", "gone", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "libraries-io-mcp: alerts check gone: no such file or folder\n"


def test_a_folder_without_rules(tmp_path: Path) -> None:
    done = run_command("alerts", "check", ".", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, ".: no rule files (*.yml, *.yaml) in this folder\n")
