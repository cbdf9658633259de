"""What the doctor says in set-ups that are broken, each in its own way, and in one that is well."""

import json
import re
import resource
import subprocess
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from tests.support.collectors import unused_port
from tests.support.command import COMMAND, HTTP, Running, environment, fork_server
from tests.support.grpc_receiver import GrpcReceiver
from tests.support.issuer import AUDIENCE, NAME, issuer
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.smtp_server import PASSWORD, USER, SilentServer, SmtpServer
from tests.support.stand_in import CANARY, REFUSED_CANARY
from tests.support.tls import TlsReceiver, make_certificates
from tests.support.valkey import running_valkey

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

BAD_RULES: Final = """
groups:
  - name: broken
    rules:
      - alert: Broken
        expr: sum(rate(
"""
SECRETS: Final = (CANARY, REFUSED_CANARY, PASSWORD, "redis-pw-7f3a91", "hook-4c1d77e0", "bearer-99aa88bb77cc")
Variables = dict[str, str]


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def findings(self) -> dict[str, dict[str, Any]]:
        """By name."""
        return {finding["name"]: finding for finding in json.loads(self.stdout)["findings"]}


class Peer:
    """A web server that answers every GET with this."""

    def __init__(
        self, body: bytes, *, kind: str = "application/json", status: int = 200, seconds_ago: float = 0
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                date = format_datetime(datetime.now(UTC) - timedelta(seconds=seconds_ago), usegmt=True)
                self.send_response_only(status)
                for name, value in (("Date", date), ("Content-Type", kind), ("Content-Length", str(len(body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Nothing is written to stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def no_files_grow() -> None:
    """As on a disk that is full: nothing can be written to a file. Pipes are none."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def doctor(folder: Path, variables: Mapping[str, str], *options: str, full: bool = False) -> Done:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        # A limit of the process itself is not handed on to one that is forked elsewhere.
        [*((COMMAND,) if full else fork_server().launcher), "doctor", *options],
        cwd=folder,
        env=environment(folder, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS * 2,
        check=False,
        preexec_fn=no_files_grow if full else None,
    )
    return Done(done.returncode, done.stdout, done.stderr)


class World:
    """All that the set-ups lean on, well and ill."""

    def __init__(self, stack: ExitStack, folder: Path, sandbox_url: str) -> None:
        enter = stack.enter_context
        self.sandbox_url = sandbox_url
        self.folder = folder
        self.refusing = enter(unused_port())
        self.collector = enter(OtlpReceiver())
        self.grpc = enter(GrpcReceiver())
        self.valkey = enter(running_valkey())
        self.authority, tls = make_certificates(folder)
        self.https = enter(TlsReceiver(tls, "x")).endpoint
        self.mail = enter(SmtpServer(tls, login=True))
        self.plain_mail = enter(SmtpServer())
        self.silent = enter(SilentServer())
        self.slow_clock = enter(Peer(b'{"stars": 1}', seconds_ago=600))
        self.portal = enter(Peer(b"<html>log in first</html>", kind="text/html"))
        self.other = enter(Peer(b"hello", kind="text/plain"))
        self.prometheus = enter(Peer(json.dumps({"status": "success", "data": {"groups": []}}).encode()))
        self.alertmanager = enter(Peer(json.dumps({"versionInfo": {}}).encode()))
        self.issuer = enter(issuer())
        self.no_keys = enter(Peer(json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}).encode()))
        self.server = enter(Running(*HTTP, folder=folder / "server", LIBRARIES_IO_BASE_URL=sandbox_url))
        (folder / "rules.yml").write_text(BAD_RULES)
        (folder / "a-file").write_text("")

    @property
    def well(self) -> Variables:
        """Everything set, everything works."""
        return {
            "LIBRARIES_IO_BASE_URL": self.sandbox_url,
            "LIBRARIES_IO_API_KEY": CANARY,
            "MCP_PORT": "0",  # the usual one may be taken here
            "MCP_PUBLIC_URL": "https://mcp.example.org",
            "REDIS_URL": f"redis://127.0.0.1:{self.valkey.port}/0",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.endpoint,
            "OTEL_TRACES_EXPORTER": "otlp,file",
            "TELEMETRY_FILE_DIRECTORY": str(self.folder / "telemetry"),
            "LOG_FILE": str(self.folder / "log" / "lines.jsonl"),
            "ALERTMANAGER_URL": self.alertmanager,
            "SSL_CERT_FILE": str(self.authority),
            "SMTP_SERVER": "127.0.0.1",
            "SMTP_PORT": str(self.mail.port),
            "SMTP_USERNAME": USER,
            "SMTP_PASSWORD": PASSWORD,
            "SMTP_TO_EMAILS": "ops@example.org",
            "WEBHOOK_URL": f"{self.https}/hook-4c1d77e0",
            "WEBHOOK_TOKEN": "bearer-99aa88bb77cc",
        }

    def set_ups(self) -> dict[str, tuple[Variables, str, str, str, str]]:
        """By name: what is set, and the finding, its state, and what it must say in `found` and in `what_to_do`."""
        local = "http://127.0.0.1"
        refused = f"{local}:{self.refusing}"
        here = urlsplit(self.server.url).port
        http = {"MCP_TRANSPORT": "http", "MCP_AUTH_ISSUER": NAME, "MCP_AUTH_AUDIENCE": AUDIENCE}
        return {
            "wrong key": (
                {"LIBRARIES_IO_API_KEY": REFUSED_CANARY},
                "key",
                "broken",
                "not known",
                "LIBRARIES_IO_API_KEY",
            ),
            "no key": ({"LIBRARIES_IO_API_KEY": ""}, "key", "warning", "no key", "libraries.io/account"),
            "no network": (
                {"LIBRARIES_IO_BASE_URL": "http://no-such-host.invalid/api"},
                *("upstream", "broken", "resolved", "network"),
            ),
            "upstream refuses": (
                {"LIBRARIES_IO_BASE_URL": f"{refused}/api"},
                *("upstream", "broken", "connection refused", "LIBRARIES_IO_BASE_URL"),
            ),
            "no TLS there": (
                {"LIBRARIES_IO_BASE_URL": self.sandbox_url.replace("http:", "https:")},
                *("upstream", "broken", "does not speak it", "LIBRARIES_IO_BASE_URL"),
            ),
            "unknown certificate": (
                {"LIBRARIES_IO_BASE_URL": f"{self.https}/api", "SSL_CERT_FILE": ""},
                *("upstream", "broken", "certificate is not accepted", "LIBRARIES_IO_BASE_URL"),
            ),
            "a page instead of the API": (
                {"LIBRARIES_IO_BASE_URL": f"{self.portal}/api"},
                *("upstream", "broken", "text/html", "log in to the network"),
            ),
            "clock off": ({"LIBRARIES_IO_BASE_URL": self.slow_clock}, "clock", "warning", "ahead", "NTP"),
            "Collector refuses": (
                {"OTEL_EXPORTER_OTLP_ENDPOINT": refused},
                *("collector", "warning", "connection refused", "Start the Collector"),
            ),
            "Collector refuses, gRPC": (
                {"OTEL_EXPORTER_OTLP_ENDPOINT": refused, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
                *("collector", "warning", "refused", "4317"),
            ),
            "wrong port": (
                {"OTEL_EXPORTER_OTLP_ENDPOINT": self.sandbox_url.removesuffix("/api")},
                *("collector", "warning", "code: 40", "port 4318"),
            ),
            "Redis down": (
                {"REDIS_URL": f"redis://:redis-pw-7f3a91@127.0.0.1:{self.refusing}/0"},
                *("cache store", "warning", "ConnectionError", "REDIS_URL"),
            ),
            "unreadable secret file": (
                {"LIBRARIES_IO_API_KEY": "", "LIBRARIES_IO_API_KEY_FILE": "/no/such/file"},
                *("settings", "broken", "can't read /no/such/file", "docs/configuration.md"),
            ),
            "wrong setting": ({"MCP_PORT": "many"}, "settings", "broken", "MCP_PORT='many'", "docs/configuration.md"),
            "SMTP refuses": (
                {"SMTP_PORT": str(self.refusing)},
                *("mail", "warning", "connection refused", "SMTP_SERVER"),
            ),
            "SMTP log-in": (
                {"SMTP_PASSWORD": "wrong-password"},
                *("mail", "warning", "log-in was refused (535)", "SMTP_PASSWORD"),
            ),
            "SMTP without STARTTLS": (
                {"SMTP_PORT": str(self.plain_mail.port)},
                *("mail", "warning", "no STARTTLS", "465"),
            ),
            "SMTP silent": ({"SMTP_PORT": str(self.silent.port)}, "mail", "warning", "no answer in time", "SMTP_PORT"),
            "SMTP certificate": ({"SSL_CERT_FILE": ""}, "mail", "warning", "certificate", "SMTP_SERVER"),
            "webhook certificate": (
                {"SSL_CERT_FILE": ""},
                *("webhook", "warning", "certificate is not accepted", "WEBHOOK_URL"),
            ),
            "webhook gone": (
                {"WEBHOOK_URL": f"https://127.0.0.1:{self.refusing}/hook-4c1d77e0"},
                *("webhook", "warning", "connection refused", "WEBHOOK_URL"),
            ),
            "bad rule file": (
                {"ALERT_RULES_PATH": str(self.folder / "rules.yml")},
                *("rules", "warning", "rule Broken", "alerts check"),
            ),
            "Prometheus without our rules": (
                {"PROMETHEUS_URL": self.prometheus},
                *("prometheus", "warning", "lacks", "rule_files"),
            ),
            "no Prometheus": (
                {"PROMETHEUS_URL": refused},
                *("prometheus", "warning", "connection refused", "PROMETHEUS_URL"),
            ),
            "no Alertmanager": (
                {"ALERTMANAGER_URL": self.other},
                *("alertmanager", "warning", "no JSON", "ALERTMANAGER_URL"),
            ),
            "log file below a file": (
                {"LOG_FILE": str(self.folder / "a-file" / "lines.jsonl")},
                *("log file", "warning", "not a directory", "LOG_FILE"),
            ),
            "full disk": ({}, "log file", "warning", "file too large", "Make room"),
            "port in use": (
                {"MCP_TRANSPORT": "http", "MCP_PORT": str(urlsplit(self.other).port)},
                *("server", "broken", "another program", "MCP_PORT"),
            ),
            "no keys to sign with": (
                {**http, "MCP_AUTH_JWKS_URI": refused},
                *("sign-in", "broken", "connection refused", "MCP_AUTH_JWKS_URI"),
            ),
            "keys of another kind": (
                {**http, "MCP_AUTH_JWKS_URI": self.no_keys, "MCP_AUTH_TOKEN": "alice=0123456789abcdef"},
                *("sign-in", "warning", "no key among them", "ES256"),
            ),
            "keys that are a page": (
                {**http, "MCP_AUTH_JWKS_URI": self.portal, "MCP_AUTH_TOKEN": "alice=0123456789abcdef"},
                *("sign-in", "warning", "no JSON", "MCP_AUTH_JWKS_URI"),
            ),
            "keys to sign with": (
                {**http, "MCP_AUTH_JWKS_URI": self.issuer.jwks_uri},
                *("sign-in", "ok", "2 keys: RS256, ES256", ""),
            ),
            "our server runs": ({"MCP_TRANSPORT": "http", "MCP_PORT": str(here)}, "server", "ok", "it is ready", ""),
            "a black hole": (
                {"OTEL_EXPORTER_OTLP_ENDPOINT": f"{local}:{self.silent.port}"},
                *("collector", "warning", "", "Start the Collector"),
            ),
        }


@pytest.fixture(scope="module")
def world(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack, tmp_path_factory.mktemp("doctor"), sandbox_url)


TOGETHER: Final = (
    (
        *("wrong key", "Collector refuses", "Redis down", "SMTP refuses", "bad rule file", "no Prometheus"),
        *("no Alertmanager", "log file below a file", "webhook gone", "port in use", "no keys to sign with"),
    ),
    (
        *("no network", "Collector refuses, gRPC", "SMTP log-in", "Prometheus without our rules", "our server runs"),
        *("no key", "keys of another kind"),
    ),
    ("upstream refuses", "wrong port", "SMTP without STARTTLS"),
    ("no TLS there", "SMTP silent", "a black hole", "keys that are a page"),
    ("unknown certificate", "SMTP certificate", "webhook certificate"),
    ("a page instead of the API", "full disk"),
    ("clock off", "keys to sign with"),
    ("unreadable secret file",),
    ("wrong setting",),
)
"""Set-ups that do not touch each other share a run of the doctor: a run costs a second of the machine's time."""


@pytest.fixture(scope="module")
def runs(world: World) -> dict[str, Done]:
    """What the doctor said in each set-up; two runs at a time."""
    assert world.server.url
    set_ups = world.set_ups()

    def run(number: int, names: tuple[str, ...]) -> Done:
        given = dict(world.well)
        for name in names:
            given |= set_ups[name][0]
        given = {variable: value for variable, value in given.items() if value}
        return doctor(world.folder / f"run-{number}", given, "--json", full="full disk" in names)

    with ThreadPoolExecutor(2) as pool:
        started = [(names, pool.submit(run, number, names)) for number, names in enumerate(TOGETHER)]
        return {name: done.result() for names, done in started for name in names}


def test_each_set_up_is_told_what_is_wrong_and_what_to_do(world: World, runs: dict[str, Done]):
    wrong = {}
    for name, (_, finding, state, found, what_to_do) in world.set_ups().items():
        said = runs[name].findings.get(finding, {})
        if (
            said.get("state") != state
            or found not in said["found"]
            or what_to_do not in (said["what_to_do"] or "")
            or not said["tried"]
        ):
            wrong[name] = said
    assert wrong == {}


def test_nothing_else_is_said_to_be_wrong(world: World, runs: dict[str, Done]):
    set_ups = world.set_ups()
    for names in TOGETHER:
        expected = {set_ups[name][1] for name in names if set_ups[name][2] != "ok"}
        # A disk that is full is full for everything that is written.
        expected |= {"telemetry files"} if "full disk" in names else set()
        ill = {each for each, said in runs[names[0]].findings.items() if said["state"] in ("warning", "broken")}
        assert ill == expected, names


def test_every_set_up_has_its_run(world: World):
    together = [name for names in TOGETHER for name in names]
    assert sorted(together) == sorted(world.set_ups())


def test_the_exit_code_says_whether_something_required_is_broken(world: World, runs: dict[str, Done]):
    for name, (_, _, state, *_) in world.set_ups().items():
        facts = json.loads(runs[name].stdout)
        assert runs[name].code == (1 if facts["status"] == "broken" else 0), name
        if state == "broken":
            assert runs[name].code == 1, name


def test_no_secret_is_shown(runs: dict[str, Done]):
    for name, done in runs.items():
        for secret in (*SECRETS, "wrong-password"):
            assert secret not in done.stdout + done.stderr, name
        assert done.stderr == "", name


def test_everything_well(world: World):
    done = doctor(world.folder / "well", world.well)
    assert (done.code, done.stderr) == (0, "")
    first, *lines, last = done.stdout.splitlines()
    assert first.startswith("libraries-io-mcp ")
    assert "Python 3." in first
    assert {line.split()[0] for line in lines} == {"ok", "skipped"}
    assert re.fullmatch(r"\d+ ok, \d+ skipped", last)
    assert "\x1b" not in done.stdout
    assert not any(secret in done.stdout for secret in SECRETS)
    assert world.mail.mails == []
    assert USER in world.mail.logins
    assert not (world.folder / "log").exists(), "nothing is left behind"


def test_grpc_takes_an_empty_export(world: World):
    given = {"LIBRARIES_IO_BASE_URL": world.sandbox_url, "LIBRARIES_IO_API_KEY": CANARY}
    given |= {"OTEL_EXPORTER_OTLP_ENDPOINT": world.grpc.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    done = doctor(world.folder / "grpc", given, "--json")
    assert done.findings["collector"]["state"] == "ok"
    assert done.code == 0


def test_only_a_running_server_is_asked(world: World):
    """What a container's health check needs: it costs nothing upstream, so the wrong address there does not matter."""
    given = {
        "LIBRARIES_IO_BASE_URL": f"http://127.0.0.1:{world.refusing}/api",
        "MCP_PORT": str(urlsplit(world.server.url).port),
    }
    done = doctor(world.folder / "running", given, "--server")
    assert done.code == 0
    assert "it is ready" in done.stdout
    gone = doctor(world.folder / "gone", given, "--server", f"http://127.0.0.1:{world.refusing}", "--json")
    assert gone.code == 1
    assert gone.findings["server"]["found"] == "connection refused: nobody listens there"


def test_what_a_running_server_has_lost_is_told(world: World):
    variables = {
        "LIBRARIES_IO_BASE_URL": world.sandbox_url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": world.portal,
        "OTEL_METRIC_EXPORT_INTERVAL": "100",
        "HEALTH_CHECK_SECONDS": "1",
    }
    with Running(*HTTP, folder=world.folder / "losing", **variables) as server:
        base = server.url.removesuffix("/mcp")

        def loses() -> bool:
            found = httpx.get(f"{base}/health/telemetry_export", timeout=HANG_SECONDS).json()
            # Metrics come again; what is lost is lines and spans.
            lost = sum(way["failed"] + way["dropped"] for way in found["details"].values())
            return found["status"] == "degraded" and lost > 0

        poll_until(loses, "the server to notice that something is lost")
        done = doctor(world.folder / "asking", {}, "--server", base, "--json")
    assert done.code == 0
    assert done.findings["server telemetry_export"]["state"] == "warning"
    assert "Not delivered: " in done.findings["server telemetry_export"]["found"]
    assert done.findings["server telemetry_export"]["what_to_do"]
    lost = done.findings["server telemetry"]
    assert lost["state"] == "warning"
    assert re.search(r"(traces|logs|metrics) by otlp: \d+ of \d+", lost["found"])
    assert lost["what_to_do"]


def test_checks_that_are_not_shown_are_not_guessed(world: World):
    alive = json.dumps({"status": "healthy", "version": "1", "uptime_seconds": 5}).encode()
    with Peer(alive) as url:
        done = doctor(world.folder / "strange", {}, "--server", url, "--json")
    assert done.code == 0
    assert done.findings["server checks"]["state"] == "skipped"
    assert "not shown" in done.findings["server checks"]["found"]
