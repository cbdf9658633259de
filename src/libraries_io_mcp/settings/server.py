"""How clients reach the server over HTTP, and who may."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.settings.group import Allowed, Group, Words, env_file, http_url

Scope = Literal["read", "subscriptions", "operations"]
"""What a caller may do: ask; write subscriptions; see and handle how the server itself is."""
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_SHORTEST_TOKEN: Final = 16


@dataclass(frozen=True, slots=True)
class NamedToken:
    """A token that a caller logs in with. `repr` does not show it."""

    name: str
    token: SecretStr
    scopes: frozenset[Scope]


def named_tokens(text: str) -> tuple[NamedToken, ...]:
    """The tokens in a text: `TOKEN`, `NAME=TOKEN` or `NAME:SCOPE+SCOPE=TOKEN`, separated by commas or lines.

    `NAME:=TOKEN` names no scope, so it has none.

    Raises:
        ValueError: one can't be read, is too short, or a name or a token is there twice.
    """
    found = tuple(_named_token(entry) for entry in token_entries(text))
    names = {each.name for each in found}
    tokens = {each.token.get_secret_value() for each in found}
    if not found or len(names) < len(found) or len(tokens) < len(found):
        raise ValueError("no token, or one name or token twice")
    return found


def token_entries(text: str) -> list[str]:
    """What stands for a token each, readable or not."""
    entries = [entry.strip() for line in text.splitlines() for entry in line.split(",")]
    return [entry for entry in entries if entry and not entry.startswith("#")]


def _named_token(entry: str) -> NamedToken:
    # A token may end in "=", as Base64 does; a name has only these letters.
    label, sign, token = entry.partition("=")
    name, limits, scopes = label.partition(":")
    if not sign or not token.strip("=") or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        name, limits, scopes, token = "default", "", "", entry
    if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("not a token")
    named = scopes.split("+") if scopes else []
    wanted = frozenset(scope for scope in SCOPES if scope in named or not limits)
    if limits and len(wanted) != len(named):
        raise ValueError("not a scope")
    return NamedToken(name, SecretStr(token), wanted)


def check_server(server: "ServerSettings", *, given_host: str | None) -> None:
    """Whether the settings go together.

    Raises:
        SettingsError: others could call without logging in, or half of a login is set.
    """
    if server.transport == "http" and not server.logs_in:
        # A variable that was to be filled with a secret, and was not.
        empty = {**env_file(), **os.environ}.get("MCP_AUTH_TOKEN")
        if empty is not None:
            raise SettingsError(
                f"MCP_AUTH_TOKEN={empty!r}: nobody would have to log in; allowed: a token, or no such variable"
            )
    if server.auth_jwks_uri is not None:
        for name in ("auth_issuer", "auth_audience"):
            if getattr(server, name) is None:
                raise SettingsError(
                    f"MCP_{name.upper()}='': needed with MCP_AUTH_JWKS_URI, or a token that was made for somebody else "
                    "would be good here; allowed: a text"
                )
    if server.transport == "http" and server.host not in LOOPBACK and not server.logs_in and not server.allow_anonymous:
        name = "MCP_HOST" if given_host is None else "--host"
        raise SettingsError(
            f"{name}={server.host!r}: other machines could call this server without logging in; allowed: a loopback "
            "address, or any address together with MCP_AUTH_TOKEN, MCP_AUTH_JWKS_URI or MCP_ALLOW_ANONYMOUS=true"
        )


def server_remarks(server: "ServerSettings") -> Iterator[str]:
    """What is allowed and odd, a line each."""
    for name in ("allowed_hosts", "allowed_origins"):
        for word in getattr(server, name):
            if "*" in word or "?" in word:
                yield f"MCP_{name.upper()}: {word!r} lets in every name that fits; list the names where you can"
    if server.transport == "http" and server.auth_jwks_uri is not None and server.public_url is None:
        yield "MCP_PUBLIC_URL is not set: clients are not told where to log in"


def _tokens(value: SecretStr) -> SecretStr:
    named_tokens(value.get_secret_value())
    return value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        ip_network(each)
    return value


class ServerSettings(Group):
    """How clients reach the server."""

    model_config = SettingsConfigDict(env_prefix="MCP_")

    transport: Annotated[
        Literal["stdio", "http"],
        Allowed("stdio or http"),
        Field(description="stdio for one client that starts the server, http for many."),
    ] = "stdio"
    host: Annotated[
        str, Allowed("a host name or an IP address"), Field(min_length=1, description="Address to listen on (http).")
    ] = "127.0.0.1"
    port: Annotated[
        int,
        Allowed("a whole number from 0 to 65535; 0 takes a free port"),
        Field(ge=0, le=65535, description="Port to listen on (http)."),
    ] = 8000
    stateless: Annotated[
        bool,
        Allowed("true or false"),
        Field(
            description="Keep nothing between two requests (http), so that any replica may answer each. Then nobody "
            "hears of progress, and the server can't send anything by itself."
        ),
    ] = False
    shutdown_delay_seconds: Annotated[
        float,
        Allowed("a number from 0 to 300"),
        Field(
            ge=0,
            le=300,
            description="How long after SIGTERM the server still serves, not ready any more (http), so that a proxy "
            "can send new calls elsewhere before it ends.",
        ),
    ] = 0.0
    allow_anonymous: Annotated[
        bool,
        Allowed("true or false"),
        Field(description="Listen on an address that other machines reach although nobody has to log in."),
    ] = False
    auth_token: Annotated[
        SecretStr | None,
        AfterValidator(lambda value: value and _tokens(value)),
        Allowed("TOKEN, NAME=TOKEN or NAME:SCOPE+SCOPE=TOKEN, several by comma or line; 16 characters or more each"),
        Field(
            description="Bearer tokens that callers log in with (http). A file of them is read again when it changes. "
            "Scopes: read, subscriptions, operations; all of them with a name alone, none with NAME:=TOKEN."
        ),
    ] = None
    auth_jwks_uri: Annotated[
        str | None,
        AfterValidator(lambda value: value and http_url(value)),
        Allowed("an http or https address without a query"),
        Field(description="Where the keys are that sign the callers' JSON Web Tokens (http)."),
    ] = None
    auth_issuer: Annotated[
        str | None, Allowed("a text"), Field(description="Who must have issued them. Needed with MCP_AUTH_JWKS_URI.")
    ] = None
    auth_audience: Annotated[
        str | None, Allowed("a text"), Field(description="Whom they must be for. Needed with MCP_AUTH_JWKS_URI.")
    ] = None
    public_url: Annotated[
        str | None,
        AfterValidator(lambda value: value and http_url(value)),
        Allowed("an http or https address without a query"),
        Field(
            description="Address under which callers reach the server, without /mcp. With MCP_AUTH_ISSUER it is told "
            "to them where to log in (OAuth protected-resource metadata)."
        ),
    ] = None
    operator_networks: Annotated[
        Words,
        AfterValidator(_networks),
        Allowed("networks such as 10.0.0.0/8, separated by commas"),
        Field(description="Networks whose clients may see these routes without the token, like those of this machine."),
    ] = ()
    allowed_hosts: Annotated[
        Words,
        Allowed("host names, separated by commas"),
        Field(description="Further names that the Host header may carry (http)."),
    ] = ()
    allowed_origins: Annotated[
        Words,
        Allowed("origins such as https://example.org, separated by commas"),
        Field(description="Origins of web pages that may call the server (http)."),
    ] = ()

    @property
    def tokens(self) -> tuple[NamedToken, ...]:
        """The bearer tokens, as they were at the start."""
        return () if self.auth_token is None else named_tokens(self.auth_token.get_secret_value())

    @property
    def token_file(self) -> Path | None:
        """The file that they came from, if they did."""
        name = "MCP_AUTH_TOKEN_FILE"
        path = os.environ.get(name) or env_file().get(name)
        in_environment = os.environ.get("MCP_AUTH_TOKEN") or env_file().get("MCP_AUTH_TOKEN")
        return Path(path) if path and not in_environment else None

    @property
    def logs_in(self) -> bool:
        """Whether callers must log in."""
        return self.auth_token is not None or self.auth_jwks_uri is not None
