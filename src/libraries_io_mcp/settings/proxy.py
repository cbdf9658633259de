"""The company's proxy on the way to Libraries.io: the two variables that everybody sets, and no other ambient thing."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from libraries_io_mcp.settings.group import Allowed, Group, Words

_PORTS: Final = {"http": 80, "https": 443}


def _proxy(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    address = text if "://" in text else f"http://{text}"
    parts = urlsplit(address)
    if parts.scheme not in _PORTS or not parts.hostname or (parts.port or 1) < 1:
        raise ValueError("not the address of a proxy")
    return SecretStr(address)


class ProxySettings(Group):
    """The proxy through which Libraries.io is asked."""

    https_proxy: Annotated[
        SecretStr | None,
        AfterValidator(lambda value: value and _proxy(value)),
        Allowed("http:// or https:// and an address, with user and password if need be"),
        Field(description="Proxy for an https `LIBRARIES_IO_BASE_URL`; an http one is asked directly."),
    ] = None
    no_proxy: Annotated[
        Words,
        Allowed("host names or domains, with a port or without, or *; several by comma"),
        Field(description="Hosts that are asked without the proxy."),
    ] = ()

    def to(self, address: str) -> SecretStr | None:
        """The proxy for an address, if it is to be asked through one."""
        parts = urlsplit(address)
        if self.https_proxy is None or parts.scheme != "https":
            return None
        host, port = (parts.hostname or "").lower(), parts.port or _PORTS["https"]
        return None if any(_covers(entry.lower(), host, port) for entry in self.no_proxy) else self.https_proxy


def place_of(proxy: SecretStr) -> str:
    """Host and port of a proxy, to be shown: without user and password."""
    parts = urlsplit(proxy.get_secret_value())
    return f"{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"


def _covers(entry: str, host: str, port: int) -> bool:
    name, _, only_port = entry.partition(":")
    if only_port and only_port != str(port):
        return False
    domain = name.removeprefix("*").removeprefix(".")
    return not domain or host == domain or host.endswith(f".{domain}")
