"""Alertmanager's configuration: valid with nothing set and with everything, and who is told of what."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from tests.servers.binaries import OTEL, binaries

TEMPLATE = OTEL / "alertmanager.yml"
PASSWORD, URL, TOKEN = "ca9a-it's-a-password", "https://hooks.example.org/ca9a-path?key=1", "ca9a-token"
EVERYTHING = {
    "SMTP_SERVER": "mail.example.org",
    "SMTP_PORT": "465",
    "SMTP_USERNAME": "o'brien",
    "SMTP_PASSWORD": PASSWORD,
    "SMTP_FROM_EMAIL": "alerts@example.org",
    "SMTP_TO_EMAILS": "ann@example.org, bob@example.org",
    "SMTP_USE_TLS": "true",
    "WEBHOOK_URL": URL,
    "WEBHOOK_TOKEN": TOKEN,
}
ROUTES = [
    ({"alertname": "Watchdog", "severity": "none"}, "nobody"),
    ({"alertname": "SLOBurnRate", "severity": "critical"}, "mail-and-webhook"),
    ({"alertname": "HighErrorRate", "severity": "high"}, "mail-and-webhook"),
    ({"alertname": "HighResponseTime", "severity": "medium"}, "mail-and-webhook"),
    ({"alertname": "QuotaLow", "severity": "low"}, "mail"),
    ({"alertname": "SomebodyElses"}, "mail-and-webhook"),
]


def amtool(*arguments: str | Path) -> str:
    ended = subprocess.run(
        [binaries("alertmanager")["amtool"], *arguments], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def render(folder: Path, settings: Mapping[str, str], **files: str) -> Path:
    """The configuration that the settings make; its secrets are in `folder / "secrets"`."""
    given = folder / "given"
    for each in (given, folder / "secrets"):
        each.mkdir(exist_ok=True)
    (given / "settings").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    for name, content in files.items():
        (given / name).write_text(content)
    output = folder / "alertmanager.yml"
    subprocess.run(["sh", OTEL / "alertmanager.sh", TEMPLATE, given, folder / "secrets", output], check=True)
    return output


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("full"), EVERYTHING)


def test_as_it_is_it_is_valid_and_tells_nobody():
    assert "SUCCESS" in amtool("check-config", TEMPLATE)
    receivers = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))["receivers"]
    assert all(list(receiver) == ["name"] for receiver in receivers)


def test_with_nothing_set_it_stays_as_it_is(tmp_path: Path):
    nothing = render(tmp_path, dict.fromkeys(EVERYTHING, ""), SMTP_PASSWORD="", WEBHOOK_URL="")
    assert nothing.read_text() == TEMPLATE.read_text()
    assert list((tmp_path / "secrets").iterdir()) == []


def test_with_everything_set_it_is_valid(full: Path):
    assert "SUCCESS" in amtool("check-config", full)
    receivers = {each["name"]: each for each in yaml.safe_load(full.read_text())["receivers"]}
    (mail,) = receivers["mail-and-webhook"]["email_configs"]
    secrets = full.parent / "secrets"
    assert mail == {
        "to": "ann@example.org, bob@example.org",
        "from": "alerts@example.org",
        "smarthost": "mail.example.org:465",
        "require_tls": True,
        "auth_username": "o'brien",
        "auth_password_file": str(secrets / "smtp_password"),
        "send_resolved": True,
        "threading": {"enabled": True, "thread_by_date": "none"},
    }
    (webhook,) = receivers["mail-and-webhook"]["webhook_configs"]
    assert webhook["url_file"] == str(secrets / "webhook_url")
    assert webhook["http_config"]["authorization"] == {"credentials_file": str(secrets / "webhook_token")}
    assert receivers["mail"] == {"name": "mail", "email_configs": [mail]}
    assert receivers["nobody"] == {"name": "nobody"}


def test_secrets_are_in_their_files_alone(full: Path):
    assert "ca9a" not in full.read_text()
    kept = {path.name: path.read_text() for path in (full.parent / "secrets").iterdir()}
    assert kept == {"smtp_password": PASSWORD, "webhook_url": URL, "webhook_token": TOKEN}


def test_a_secret_from_a_file_wins(tmp_path: Path):
    output = render(tmp_path, {"WEBHOOK_URL": "https://old.example.org"}, WEBHOOK_URL=f"{URL}\n")
    assert (tmp_path / "secrets" / "webhook_url").read_text() == URL
    assert "SUCCESS" in amtool("check-config", output)
    # Without mail, what can wait comes by webhook too.
    receivers = {each["name"]: each for each in yaml.safe_load(output.read_text())["receivers"]}
    assert receivers["mail"]["webhook_configs"] == receivers["mail-and-webhook"]["webhook_configs"]


def test_what_is_unset_again_is_gone(tmp_path: Path):
    render(tmp_path, EVERYTHING)
    assert render(tmp_path, {}).read_text() == TEMPLATE.read_text()
    assert list((tmp_path / "secrets").iterdir()) == []


def test_a_server_without_recipients_is_refused(tmp_path: Path):
    with pytest.raises(subprocess.CalledProcessError):
        render(tmp_path, {"SMTP_SERVER": "mail.example.org"})


@pytest.mark.parametrize(("labels", "receiver"), ROUTES, ids=lambda value: value if isinstance(value, str) else None)
def test_who_is_told(full: Path, labels: Mapping[str, str], receiver: str):
    given = [f"{name}={value}" for name, value in {**labels, "service_name": "libraries-io-mcp", "slo": "x"}.items()]
    for configuration in (TEMPLATE, full):
        options = (f"--config.file={configuration}", f"--verify.receivers={receiver}")
        assert receiver in amtool("config", "routes", "test", *options, *given)


def test_low_ones_wait_for_working_hours():
    configuration = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    waiting = [route for route in configuration["route"]["routes"] if "active_time_intervals" in route]
    assert [route["matchers"] for route in waiting] == [['severity="low"']]
    (interval,) = configuration["time_intervals"]
    assert waiting[0]["active_time_intervals"] == [interval["name"]]
