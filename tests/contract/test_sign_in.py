"""A client without a token finds its way to one, as the MCP specification describes; and an issuer that is away."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastmcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from tests.servers.ports import free_ports
from tests.support.authorization_server import authorization_server
from tests.support.command import Running
from tests.support.issuer import AUDIENCE, NAME, issuer
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.wire import HEADERS, message

CALLBACK = "http://127.0.0.1:1/callback"


class Storage:
    """What a client keeps."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Browser:
    """Goes where the client sends the user, and brings back the code."""

    def __init__(self) -> None:
        self._came_to: dict[str, list[str]] = {}

    async def go(self, address: str) -> None:
        async with httpx.AsyncClient() as client:
            answer = await client.get(address, timeout=HANG_SECONDS)
        self._came_to = parse_qs(urlsplit(answer.headers["location"]).query)

    async def code(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=self._came_to["code"][0], state=self._came_to["state"][0])


def server_of(keys: str, name: str, audience: str, port: int, folder: Path, **variables: str) -> Running:
    given = {"MCP_AUTH_JWKS_URI": keys, "MCP_AUTH_ISSUER": name, "MCP_AUTH_AUDIENCE": audience}
    public = {"MCP_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    return Running("serve", "--transport", "http", "--port", str(port), folder=folder, **given, **public, **variables)


async def test_a_client_without_a_token_gets_one(tmp_path: Path):
    port = free_ports(1)[0]
    resource = f"http://127.0.0.1:{port}/mcp"
    with issuer() as keys, authorization_server(keys) as oauth:
        with server_of(keys.jwks_uri, oauth.name, resource, port, tmp_path) as server:
            browser, storage = Browser(), Storage()
            provider = OAuthClientProvider(
                server.url,
                OAuthClientMetadata.model_validate({"redirect_uris": [CALLBACK], "client_name": "test"}),
                storage,
                browser.go,
                browser.code,
            )
            async with Client(server.url, auth=provider) as client:
                assert (await client.call_tool("get_quota_status")).is_error is False
        (authorized, told), (_, exchanged) = oauth.asked
    assert authorized == "/authorize"
    # From WWW-Authenticate, and from the metadata that it names.
    assert (told["scope"], told["resource"], exchanged["resource"]) == ("read", resource, resource)
    assert storage.client is not None


@pytest.mark.parametrize("named", [False, True], ids=["web tokens alone", "beside named tokens"])
def test_an_issuer_that_is_away_is_no_fault_of_the_token(named: bool, tmp_path: Path):
    port = free_ports(1)[0]
    variables = {"MCP_AUTH_TOKEN": "admin=admin-0123456789abcdef"} if named else {}
    with issuer() as keys:
        keys.shut.set()
        with server_of(keys.jwks_uri, NAME, AUDIENCE, port, tmp_path, HEALTH_CHECK_SECONDS="1", **variables) as server:

            def knock(token: str, path: str = "/mcp") -> httpx.Response:
                bearer = {"Authorization": f"Bearer {token}"}
                address = server.url.removesuffix("/mcp") + path
                if path != "/mcp":
                    return httpx.get(address, headers=bearer, timeout=HANG_SECONDS)
                return httpx.post(address, json=OPENING, headers=HEADERS | bearer, timeout=HANG_SECONDS)

            good = keys.token(scope="read operations")
            refused = knock(good)
            assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
            assert int(refused.headers["retry-after"]) > 0
            assert knock(good, "/alerts").status_code == 503
            assert knock("no-token-at-all-0123456789").status_code == 401
            health = f"{server.url.removesuffix('/mcp')}/health/sign_in"
            assert httpx.get(health, timeout=HANG_SECONDS).json()["status"] == "unhealthy"
            assert "key set (JWKS) of MCP_AUTH_JWKS_URI can't be had: status 500" in server.stderr
            if named:
                assert knock("admin-0123456789abcdef").status_code == 200
            keys.shut.clear()
            poll_until(lambda: knock(good).status_code == 200, "the keys to be there again", 2 * HANG_SECONDS)
            keys.shut.set()
            # The keys that are known stay, and what is wrong by them is wrong.
            assert knock(keys.token()).status_code == 200
            assert knock(keys.tampered()).status_code == 401


OPENING: dict[str, Any] = message(
    "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "test", "version": "1"}
)
