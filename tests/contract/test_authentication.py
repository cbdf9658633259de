"""Who gets in over HTTP: named tokens and JSON Web Tokens, their scopes, and everybody who should stay outside."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastmcp import Client
from joserfc.jwk import RSAKey
from mcp import MCPError
from tests.support.command import HTTP, Running, run_command
from tests.support.issuer import AUDIENCE, NAME, Issuer, issuer
from tests.support.polling import HANG_SECONDS, poll_until

pytestmark = pytest.mark.anyio
READER: Final = "reader-0123456789abcdef"
ADMIN: Final = "admin-0123456789abcdef=="
TOKENS: Final = f"# who may call\nreader:read={READER}\nadmin={ADMIN}\n"
INITIALIZE: Final = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture(scope="module")
def authority() -> Iterator[Issuer]:
    with issuer() as running:
        yield running


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokens") / "tokens"
    path.write_text(TOKENS)
    return path


@pytest.fixture(scope="module")
def server(
    authority: Issuer, token_file: Path, sandbox_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    given = {
        "LIBRARIES_IO_BASE_URL": sandbox_url,
        "MCP_AUTH_TOKEN_FILE": str(token_file),
        "MCP_AUTH_JWKS_URI": authority.jwks_uri,
        "MCP_AUTH_ISSUER": NAME,
        "MCP_AUTH_AUDIENCE": AUDIENCE,
        "MCP_PUBLIC_URL": "https://packages.example",
        "TOOLSETS": "package,server,subscriptions",
    }
    with Running(*HTTP, folder=tmp_path_factory.mktemp("server"), **given) as running:
        yield running


def knock(server: Running, authorization: str | None) -> httpx.Response:
    """The first request of a client."""
    headers = {"Accept": "application/json, text/event-stream"}
    headers |= {"Authorization": authorization} if authorization is not None else {}
    return httpx.post(server.url, json=INITIALIZE, headers=headers, timeout=HANG_SECONDS)


async def tools_of(server: Running, token: str) -> dict[str, Any]:
    """What became of a tool of each scope, and of a resource of the operator's."""
    async with Client(server.url, auth=token) as client:
        found: dict[str, Any] = {}
        for tool, given in (("get_quota_status", {}), ("track_package_updates", {"action": "list"})):
            result = await client.call_tool(tool, given, raise_on_error=False)
            found[tool] = (result.structured_content or {}).get("error_type", "answered")
        try:
            await client.read_resource("metrics://summary")
            found["metrics"] = "answered"
        except MCPError as error:
            found["metrics"] = str(error)
        return found


async def test_named_tokens_and_what_they_allow(server: Running):
    assert await tools_of(server, READER) == {
        "get_quota_status": "answered",
        "track_package_updates": "forbidden",
        "metrics": "Your token does not allow this resource: it has no scope 'operations'.",
    }
    # This one is let through to the tool, which has no key of Libraries.io.
    assert await tools_of(server, ADMIN) == {
        "get_quota_status": "answered",
        "track_package_updates": "api_key_missing",
        "metrics": "answered",
    }


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_web_tokens_and_what_they_allow(server: Running, authority: Issuer, algorithm: str):
    reader = await tools_of(server, authority.token(algorithm=algorithm))
    assert (reader["get_quota_status"], reader["track_package_updates"]) == ("answered", "forbidden")
    everything = authority.token(algorithm=algorithm, scope="read subscriptions operations")
    admin = await tools_of(server, everything)
    assert (admin["track_package_updates"], admin["metrics"]) == ("api_key_missing", "answered")


def wrong(authority: Issuer) -> dict[str, str | None]:
    """Every way of not being let in."""
    now = int(time.time())
    stranger = RSAKey.generate_key(2048, {"kid": "rsa"})
    return {
        "nothing": None,
        "empty": "",
        "another scheme": f"Basic {READER}",
        "no token": "Bearer",
        "wrong token": f"Bearer {READER}x",
        "beginning of a token": f"Bearer {READER[:-1]}",
        "name instead of token": "Bearer reader",
        "huge": f"Bearer {'x' * 20_000}",
        "not ASCII": "Bearer \u00fcber-0123456789abcdef",
        "expired": f"Bearer {authority.token(exp=now - 60)}",
        "without an end": f"Bearer {authority.token(exp=None)}",
        "not yet valid": f"Bearer {authority.token(nbf=now + 600)}",
        "wrong audience": f"Bearer {authority.token(aud='somebody-else')}",
        "no audience": f"Bearer {authority.token(aud=None)}",
        "wrong issuer": f"Bearer {authority.token(iss='https://elsewhere.example')}",
        "issuer with a slash": f"Bearer {authority.token(iss=f'{NAME}/')}",
        "nobody": f"Bearer {authority.token(sub=None)}",
        "no text as a name": f"Bearer {authority.token(sub=5)}",
        "no issuer": f"Bearer {authority.token(iss=None)}",
        "algorithm none": f"Bearer {authority.unsigned()}",
        "tampered": f"Bearer {authority.tampered()}",
        "a stranger's key": f"Bearer {authority.token(key=stranger)}",
        "public key as secret": f"Bearer {authority.signed_with_the_public_key()}",
        "no JSON inside": "Bearer aaaa.bbbb.cccc",
    }


def test_whoever_should_not_get_in_does_not(server: Running, authority: Issuer):
    for name, authorization in wrong(authority).items():
        encoded = authorization.encode("latin-1") if authorization is not None else None
        answer = knock(server, encoded)
        # A header that is larger than any token is not even read to its end.
        assert answer.status_code in ({401, 431, 400} if name == "huge" else {401}), (name, answer.text)
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"].startswith("Bearer"), name
        assert READER not in answer.text
        assert "Traceback" not in answer.text
    assert READER not in server.stderr
    assert "Traceback" not in server.stderr


def test_a_program_without_a_user_is_known_by_its_own_id(server: Running, authority: Issuer):
    token = authority.token(sub=None, client_id="nightly-job")
    assert knock(server, f"Bearer {token}").status_code == 200


def test_a_token_without_the_scope_to_read_is_refused_as_such(server: Running, authority: Issuer):
    answer = knock(server, f"Bearer {authority.token(scope='something else')}")
    assert answer.status_code == 403
    assert answer.json()["error"] == "insufficient_scope"


def test_a_client_is_told_where_to_log_in(server: Running):
    answer = knock(server, None)
    address = "https://packages.example/.well-known/oauth-protected-resource/mcp"
    assert f'resource_metadata="{address}"' in answer.headers["www-authenticate"]
    told = httpx.get(server.url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp"), timeout=HANG_SECONDS)
    # Letter by letter: clients compare it with what the issuer says of itself.
    assert told.json()["authorization_servers"] == [NAME]
    assert told.json()["resource"] == "https://packages.example/mcp"
    assert told.json()["scopes_supported"] == ["read", "subscriptions", "operations"]


def test_liveness_is_open_and_the_rest_is_the_operators(server: Running, authority: Issuer):
    base = server.url.removesuffix("/mcp")
    far = {"X-Forwarded-For": "203.0.113.9"}
    assert httpx.get(f"{base}/health", headers=far, timeout=HANG_SECONDS).status_code == 200
    for token, status in ((None, 401), (READER, 403), (ADMIN, 200), (authority.token(scope="read"), 403)):
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        answer = httpx.get(f"{base}/alerts", headers=far | bearer, timeout=HANG_SECONDS)
        assert answer.status_code == status, token


async def test_a_changed_file_counts_without_a_restart(server: Running, token_file: Path):
    newcomer = "newcomer-0123456789abcdef"
    assert knock(server, f"Bearer {newcomer}").status_code == 401
    try:
        replace(token_file, f"newcomer={newcomer}\n")
        poll_until(lambda: knock(server, f"Bearer {newcomer}").status_code == 200, "the new token to be known")
        assert knock(server, f"Bearer {READER}").status_code == 401
        replace(token_file, f"newcomer={newcomer}\nreader={READER}\n")
        poll_until(lambda: knock(server, f"Bearer {READER}").status_code == 200, "the second token to be known")
        # A mistake in one line: whom it takes out is out, who is still in it stays, and nobody new comes in.
        replace(token_file, f"newcomer:raed={newcomer}\nadmin={ADMIN}\n")
        poll_until(lambda: knock(server, f"Bearer {READER}").status_code == 401, "the removed token to be out")
        assert knock(server, f"Bearer {newcomer}").status_code == 200
        assert knock(server, f"Bearer {ADMIN}").status_code == 401
        assert "the old tokens that are still in it stay" in server.stderr
    finally:
        replace(token_file, TOKENS)
        poll_until(lambda: knock(server, f"Bearer {READER}").status_code == 200, "the old tokens to be back")


def test_streams_of_a_token_that_is_taken_away_end(server: Running, token_file: Path):
    base = server.url.removesuffix("/mcp")
    bearer = {"Authorization": f"Bearer {ADMIN}"}
    session = {"Mcp-Session-Id": knock(server, f"Bearer {ADMIN}").headers["mcp-session-id"]}
    far = {"X-Forwarded-For": "203.0.113.9"}
    accept = {"Accept": "text/event-stream"}
    try:
        with (
            httpx.stream("GET", f"{base}/status/events", headers=bearer | far, timeout=HANG_SECONDS) as watching,
            httpx.stream("GET", server.url, headers=bearer | session | accept, timeout=HANG_SECONDS) as listening,
        ):
            assert (watching.status_code, listening.status_code) == (200, 200)
            replace(token_file, f"reader:read={READER}\n")
            # Both end, whole: an answer that is broken off would raise.
            assert b"event: snapshot" in watching.read()
            listening.read()
    finally:
        replace(token_file, TOKENS)
        poll_until(lambda: knock(server, f"Bearer {ADMIN}").status_code == 200, "the old tokens to be back")


def test_a_file_that_is_gone_leaves_the_tokens_and_an_emptied_one_leaves_none(server: Running, token_file: Path):
    def status() -> int:
        return knock(server, f"Bearer {READER}").status_code

    assert status() == 200
    try:
        token_file.unlink()
        poll_until(lambda: status() == 200 and server.stderr.count("MCP_AUTH_TOKEN_FILE is gone") == 1, "the warning")
        replace(token_file, "# nobody\n")
        poll_until(lambda: status() == 401, "nobody to be let in")
        poll_until(lambda: "0 tokens are in force now" in server.stderr, "the line that says so")
        assert server.stderr.count("MCP_AUTH_TOKEN_FILE is gone") == 1
    finally:
        replace(token_file, TOKENS)
        poll_until(lambda: status() == 200, "the old tokens to be back")


def replace(path: Path, text: str) -> None:
    """As tools that hand out secrets do: a new file in the place of the old one."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"MCP_HOST": "0.0.0.0"}, "without logging in"),  # noqa: S104 - that is what it is about
        ({"MCP_AUTH_TOKEN": ""}, "MCP_AUTH_TOKEN='': nobody would have to log in"),
        ({"MCP_AUTH_TOKEN": "short"}, "MCP_AUTH_TOKEN=***: not allowed"),
        ({"MCP_AUTH_TOKEN": f"a={READER},a={ADMIN}"}, "MCP_AUTH_TOKEN=***: not allowed"),
        ({"MCP_AUTH_TOKEN": f"a:read+={READER}"}, "MCP_AUTH_TOKEN=***: not allowed"),
        ({"MCP_AUTH_TOKEN": f"a:write={READER}"}, "MCP_AUTH_TOKEN=***: not allowed"),
        ({"MCP_AUTH_JWKS_URI": "http://127.0.0.1:1/jwks"}, "MCP_AUTH_ISSUER"),
        ({"MCP_AUTH_JWKS_URI": "http://127.0.0.1:1/jwks", "MCP_AUTH_ISSUER": "x"}, "MCP_AUTH_AUDIENCE"),
    ],
)
def test_a_login_that_is_none_is_refused_at_the_start(variables: dict[str, str], says: str, tmp_path: Path):
    ended = run_command(*HTTP, folder=tmp_path, **variables)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert READER not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_an_address_that_others_reach_needs_a_login_or_leave(tmp_path: Path):
    everywhere = {"MCP_HOST": "0.0.0.0"}  # noqa: S104 - that is what it is about
    with Running(*HTTP, folder=tmp_path / "login", MCP_AUTH_TOKEN=READER, **everywhere) as server:
        assert server.url
    with Running(*HTTP, folder=tmp_path / "leave", MCP_ALLOW_ANONYMOUS="true", **everywhere) as server:
        assert server.url
        assert "whoever reaches this server may call it" in server.stderr


def test_a_name_with_no_scope_may_do_nothing_and_a_wildcard_is_warned_of(tmp_path: Path):
    variables = {"MCP_AUTH_TOKEN": f"nobody:={READER},admin={ADMIN}", "MCP_ALLOWED_HOSTS": "*.example,here.example"}
    with Running(*HTTP, folder=tmp_path, **variables) as server:
        assert knock(server, f"Bearer {READER}").status_code == 403
        assert knock(server, f"Bearer {ADMIN}").status_code == 200
        (warning,) = [line for line in server.log_lines() if "MCP_ALLOWED_HOSTS" in line["message"]]
    assert "'*.example' lets in every name that fits" in warning["message"]
    assert "here.example" not in warning["message"]
