"""Who sees the operator's routes: this machine, the operator's networks, whoever has the token; nobody by a trick."""

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from tests.support.command import HTTP, Running, run_command
from tests.support.polling import HANG_SECONDS

TOKEN: Final = "0123456789abcdef-the-token"
GUARDED: Final = (
    "/metrics",
    "/status",
    "/status/anything",
    "/alerts",
    "/alerts/history",
    "/health/detailed",
    "/health/metrics",
    "/health/alerting",
    "/health/no_such_check",
)
OPEN: Final = ("/health", "/health/ready")
FAR: Final = {"X-Forwarded-For": "203.0.113.9"}
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
RESOLVE: Final = "/alerts/0123456789abcdef/resolve"


@pytest.fixture(scope="module")
def plain(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server as it is by default."""
    with Running(*HTTP, folder=tmp_path_factory.mktemp("plain"), LIBRARIES_IO_BASE_URL=sandbox_url) as server:
        yield server.url.removesuffix("/mcp")


@pytest.fixture(scope="module")
def secured(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a token, which comes from a file."""
    folder = tmp_path_factory.mktemp("secured")
    (folder / "token").write_text(TOKEN + "\n")
    given = {"LIBRARIES_IO_BASE_URL": sandbox_url, "MCP_AUTH_TOKEN_FILE": str(folder / "token")}
    with Running(*HTTP, folder=folder, **given) as server:
        yield server.url.removesuffix("/mcp")


@pytest.fixture(scope="module")
def reachable(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server on every address of the machine. Its token is known, its networks are not this machine's."""
    given = {
        "LIBRARIES_IO_BASE_URL": sandbox_url,
        "MCP_HOST": "0.0.0.0",  # noqa: S104 - that is what it is about
        "MCP_ALLOW_ANONYMOUS": "true",
        "MCP_ALLOWED_HOSTS": "*",
        "MCP_OPERATOR_NETWORKS": "198.51.100.0/24",
    }
    with Running(*HTTP, folder=tmp_path_factory.mktemp("reachable"), **given) as server:
        yield urlsplit(server.url).port


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Message
    text: str


def ask(url: str, method: str = "GET", headers: Mapping[str, str | bytes] | None = None) -> Reply:
    """Send the target as it stands: other clients tidy paths up first."""
    host, slash, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=HANG_SECONDS)
    try:
        connection.request(method, slash + path, headers=headers or {})
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read().decode())
    finally:
        connection.close()


def status(url: str, method: str = "GET", headers: Mapping[str, str | bytes] | None = None) -> int:
    return ask(url, method, headers).status


def own_address() -> str | None:
    """An address of this machine that is not loopback; `None` where there is no network at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))  # sends nothing
            address: str = probe.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


@pytest.mark.parametrize("path", GUARDED)
def test_this_machine_sees_everything_while_there_is_no_token(plain: str, path: str):
    assert status(plain + path) not in (401, 403)


@pytest.mark.parametrize("path", GUARDED)
def test_what_came_through_a_proxy_is_not_from_this_machine(plain: str, secured: str, path: str):
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        for said in ("127.0.0.1", "203.0.113.9", "for=127.0.0.1"):
            answer = ask(plain + path, headers={header: said})
            assert answer.status == 403
            assert set(json.loads(answer.text)) == {"error", "what_to_do"}
    answer = ask(secured + path, headers=FAR)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "MCP_AUTH_TOKEN" in json.loads(answer.text)["what_to_do"]


@pytest.mark.parametrize("path", OPEN)
def test_liveness_and_readiness_are_open(plain: str, secured: str, path: str):
    for base in (plain, secured):
        answer = ask(base + path, headers=FAR)
        assert answer.status == 200
        assert set(json.loads(answer.text)) <= {"status", "version", "uptime_seconds"}


@pytest.mark.parametrize("path", GUARDED)
def test_the_token_opens(secured: str, path: str):
    assert status(secured + path, headers=FAR | BEARER) not in (401, 403)
    assert status(secured + path, headers=FAR | {"Authorization": f"bearer {TOKEN}"}) not in (401, 403)


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer ☃".encode()],
    ids=["empty", "no token", "blank", "longer", "shorter", "basic", "bare", "not ascii"],
)
def test_a_wrong_token_opens_nothing_and_is_told_nothing(secured: str, given: str | bytes):
    missing = ask(f"{secured}/metrics", headers=FAR)
    wrong = ask(f"{secured}/metrics", headers=FAR | {"Authorization": given})
    assert (wrong.status, wrong.text) == (missing.status, missing.text) == (401, missing.text)


def test_nobody_from_elsewhere_without_forwarding_headers(reachable: int):
    address = own_address()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    for path in GUARDED:
        assert status(f"http://{address}:{reachable}{path}") == 403, path
        assert status(f"http://127.0.0.1:{reachable}{path}") not in (401, 403), path
    for path in OPEN:
        assert status(f"http://{address}:{reachable}{path}") == 200


@pytest.mark.parametrize("path", [*GUARDED, *OPEN, RESOLVE, "/nothing/here"])
@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:80"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
    ids=["host", "host and port", "origin", "opaque origin"],
)
def test_hosts_and_origins_are_checked_on_every_route(secured: str, path: str, headers: dict[str, str], refused: int):
    """With the token, too: a rebound name or another page must not use the browser's place on this machine."""
    method = "POST" if path == RESOLVE else "GET"
    assert status(secured + path, method, headers | BEARER) == refused


def test_what_changes_something_needs_the_token(secured: str, plain: str):
    assert status(plain + RESOLVE, "POST") == 404
    assert status(secured + RESOLVE, "POST") == 401
    assert status(secured + RESOLVE, "POST", {"Authorization": "Bearer wrong"}) == 401
    assert status(secured + RESOLVE, "POST", BEARER) == 404
    assert status(secured + RESOLVE, "POST", BEARER | FAR) == 404


def test_what_changes_something_comes_from_our_own_page(plain: str, secured: str):
    host = plain.removeprefix("http://")
    for own in ({"Origin": plain}, {"Origin": f"https://{host}"}, {"Sec-Fetch-Site": "same-origin"}, {}):
        assert status(plain + RESOLVE, "POST", own) == 404, own
    others = (
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:1"},
        {"Origin": f"http://localhost:{urlsplit(plain).port}"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": plain, "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://[::1"},
    )
    for other in others:
        assert status(plain + RESOLVE, "POST", other) == 403, other
        assert status(secured + RESOLVE, "POST", other | BEARER) == 403, other


@pytest.mark.parametrize(
    "target",
    ["//metrics", "/./metrics", "/health/../metrics", "/%6detrics", "/metrics/", "/METRICS", "/health//detailed"],
)
def test_no_spelling_of_a_path_goes_round_the_guard(secured: str, target: str):
    answer = ask(secured + target, headers=FAR)
    assert answer.status in (307, 401, 404)
    assert "libraries_io" not in answer.text


@pytest.mark.parametrize(
    "variables",
    [
        {"MCP_AUTH_TOKEN": "too-short"},
        {"MCP_AUTH_TOKEN": "with a space in it "},
        {"MCP_OPERATOR_NETWORKS": "10.0.0.1/8"},
    ],
)
def test_settings_that_would_open_too_much(tmp_path: Path, variables: dict[str, str]):
    ((name, value),) = variables.items()
    done = run_command("serve", "--transport", "http", "--port", "0", folder=tmp_path, **variables)
    assert done.returncode == 2
    assert done.stderr.startswith(f"libraries-io-mcp: {name}=")
    if name == "MCP_AUTH_TOKEN":
        assert value not in done.stderr


def test_the_token_is_in_no_answer(secured: str):
    for path in ("/health/detailed", "/status", "/metrics"):
        assert TOKEN not in ask(secured + path, headers=BEARER).text
    refused = ask(f"{secured}/metrics", headers=FAR)
    assert json.loads(refused.text)["error"] == "unauthorized"
