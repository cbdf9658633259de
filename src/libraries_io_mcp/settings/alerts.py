"""Which rules raise alerts, who evaluates them, and who is told."""

import os
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.settings.group import Allowed, Group, Words, http_url

AlertEvaluation = Literal["auto", "always", "off"]

_ADDRESS = Allowed("an http or https address")
SHORTEST_HMAC_SECRET: Final = 16


def _mail_addresses(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        name, at, host = each.rpartition("@")
        # Most mail servers take no other letters, and one bad address must not be found out by the first alert.
        if not (name and at and host) or not each.isascii() or any(mark in each for mark in " \r\n,<>"):
            raise ValueError("not an e-mail address")
    return value


def _webhook_url(value: SecretStr) -> SecretStr:
    # Only looked at: a path or a query may hold the receiver's own token, so the whole address is a secret.
    http_url(value.get_secret_value().partition("?")[0])
    return value


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("not a token")
    return SecretStr(text)


def _hmac_secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SHORTEST_HMAC_SECRET:
        raise ValueError("too short")
    return value


def parse_headers(text: str) -> dict[str, str]:
    """`name=value`, several by comma, values URL-encoded.

    Raises:
        ValueError: that is not what it is. The text holds no value.
    """
    headers: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = pair.partition("=")
        name, value = name.strip(), unquote(value.strip())
        if not (sign and name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
            raise ValueError("not a header's name")
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"not a header's value: {name}")
        headers[name] = value
    return headers


def _headers(value: SecretStr) -> SecretStr:
    parse_headers(value.get_secret_value())
    return value


class AlertSettings(Group):
    """Which rules raise alerts, and who evaluates them."""

    model_config = SettingsConfigDict(env_prefix="ALERT_")

    rules_path: Annotated[
        Path | None,
        Allowed("a rule file, or a folder of *.yml and *.yaml"),
        Field(description="Rule files in Prometheus' format. Unset: those that come with the server."),
    ] = None
    evaluation: Annotated[
        AlertEvaluation,
        Allowed("auto, always or off"),
        Field(
            description="auto: this server evaluates the rules while Prometheus is not seen to do so; always: it "
            "does so beside Prometheus; off: never."
        ),
    ] = "auto"
    state_file: Annotated[
        Path | None,
        Allowed("a path; folders are made"),
        Field(description="Where alerts and undelivered messages survive a restart. Unset: the user's state folder."),
    ] = None

    @property
    def state_path(self) -> Path | None:
        """The state file: as set, or `libraries-io-mcp/alerts.json` in the user's state folder, if there is one."""
        if self.state_file is not None:
            return self.state_file
        folder = os.environ.get("XDG_STATE_HOME", "")
        home = os.environ.get("HOME", "")
        if not Path(folder).is_absolute():  # the specification has such a value ignored
            folder = f"{home}/.local/state" if Path(home).is_absolute() else ""
        return Path(folder) / "libraries-io-mcp" / "alerts.json" if folder else None


class PrometheusSettings(Group):
    """The first choice for evaluating rules."""

    model_config = SettingsConfigDict(env_prefix="PROMETHEUS_")

    url: Annotated[
        str | None,
        _ADDRESS,
        AfterValidator(lambda value: value and http_url(value)),
        Field(description="Prometheus that evaluates the same rules. Unset: this server evaluates them itself."),
    ] = None


class AlertmanagerSettings(Group):
    """The first choice for telling people."""

    model_config = SettingsConfigDict(env_prefix="ALERTMANAGER_")

    url: Annotated[
        str | None,
        _ADDRESS,
        AfterValidator(lambda value: value and http_url(value)),
        Field(description="Alertmanager that is told of alerts. Unset, or not answering: the channels below are used."),
    ] = None
    username: Annotated[
        str | None,
        Allowed("a user name"),
        Field(description="Who logs in there (basic authentication). Unset: nobody."),
    ] = None
    password: Annotated[SecretStr | None, Allowed("a password"), Field(description="With this password.")] = None
    headers: Annotated[
        SecretStr | None,
        AfterValidator(lambda value: value and _headers(value)),
        Allowed("name=value, several by comma, values URL-encoded"),
        Field(description="Further headers, such as one with a token."),
    ] = None


class SmtpSettings(Group):
    """Alerts by e-mail."""

    model_config = SettingsConfigDict(env_prefix="SMTP_")

    server: Annotated[
        str | None,
        Allowed("a host name or an IP address"),
        Field(description="Mail server. Unset: no e-mail is sent."),
    ] = None
    port: Annotated[
        int,
        Allowed("a whole number from 1 to 65535"),
        Field(ge=1, le=65535, description="Its port. 465 means TLS from the first byte."),
    ] = 587
    username: Annotated[str | None, Allowed("a user name"), Field(description="Who logs in. Unset: nobody does.")] = (
        None
    )
    password: Annotated[SecretStr | None, Allowed("a password"), Field(description="With this password.")] = None
    from_email: Annotated[
        str | None,
        AfterValidator(lambda value: value and _mail_addresses((value,))[0]),
        Allowed("an e-mail address"),
        Field(description="Sender. Unset: the first recipient."),
    ] = None
    to_emails: Annotated[
        Words,
        AfterValidator(_mail_addresses),
        Allowed("e-mail addresses in ASCII, separated by commas"),
        Field(description="Recipients. Needed when SMTP_SERVER is set."),
    ] = ()
    use_tls: Annotated[
        bool,
        Allowed("true or false"),
        Field(
            description="Encrypt by STARTTLS; a server that can't is not used. false: only for a relay on this host."
        ),
    ] = True


class WebhookSettings(Group):
    """Alerts by HTTP, in the form that Alertmanager's webhook receivers take (version 4)."""

    model_config = SettingsConfigDict(env_prefix="WEBHOOK_")

    url: Annotated[
        SecretStr | None,
        AfterValidator(lambda value: value and _webhook_url(value)),
        _ADDRESS,
        Field(description="Where alerts are posted. Unset: nowhere. Treated as a secret."),
    ] = None
    token: Annotated[
        SecretStr | None,
        AfterValidator(lambda value: value and _token(value)),
        Allowed("a bearer token"),
        Field(description="Sent as `Authorization: Bearer`."),
    ] = None
    username: Annotated[
        str | None,
        Allowed("a user name"),
        Field(description="Who logs in there (basic authentication). Unset: nobody."),
    ] = None
    password: Annotated[SecretStr | None, Allowed("a password"), Field(description="With this password.")] = None
    headers: Annotated[
        SecretStr | None,
        AfterValidator(lambda value: value and _headers(value)),
        Allowed("name=value, several by comma, values URL-encoded"),
        Field(description="Further headers."),
    ] = None
    hmac_secret: Annotated[
        SecretStr | None,
        AfterValidator(lambda value: value and _hmac_secret(value)),
        Allowed("a text of 16 characters or more"),
        Field(description="Signs the body: `X-Signature-256: sha256=<hex>` (HMAC-SHA256)."),
    ] = None


def check_logins(alertmanager: AlertmanagerSettings, webhook: WebhookSettings) -> None:
    """Refuse two ways to log in at one place: only one `Authorization` header can be sent.

    Raises:
        SettingsError: there are two.
    """
    ways = (
        {
            "ALERTMANAGER_USERNAME": alertmanager.username,
            "Authorization in ALERTMANAGER_HEADERS": _authorization(alertmanager.headers),
        },
        {
            "WEBHOOK_TOKEN": webhook.token,
            "WEBHOOK_USERNAME": webhook.username,
            "Authorization in WEBHOOK_HEADERS": _authorization(webhook.headers),
        },
    )
    for place in ways:
        given = [name for name, value in place.items() if value]
        if len(given) > 1:
            raise SettingsError(f"{' and '.join(given)}: both log in at one place; allowed: one of them")


def _authorization(headers: SecretStr | None) -> bool:
    return headers is not None and "authorization" in map(str.lower, parse_headers(headers.get_secret_value()))
