"""Through a company's proxy: only when it is said so, without the key, and with a typed error when it fails."""

import asyncio
import time

import pytest
from pydantic import SecretStr
from tests.unit.librariesio.service import KEY, client, raw_server

from libraries_io_mcp import errors
from libraries_io_mcp.doctor.upstream import examine_upstream
from libraries_io_mcp.librariesio.transports import way_out
from libraries_io_mcp.settings import LibrariesIOSettings, ProxySettings
from libraries_io_mcp.settings.proxy import place_of

ADDRESS = "https://libraries.example/api"
PASSWORD = "s3cret-of-the-proxy"


@pytest.mark.parametrize(
    ("proxy", "excepted", "used"),
    [
        (None, (), False),
        ("http://proxy.example:3128", (), True),
        ("proxy.example:3128", (), True),
        ("http://proxy.example:3128", ("*",), False),
        ("http://proxy.example:3128", ("other.example", "libraries.example"), False),
        ("http://proxy.example:3128", (".example",), False),
        ("http://proxy.example:3128", ("libraries.example:443",), False),
        ("http://proxy.example:3128", ("libraries.example:8443", "braries.example", "api.libraries.example"), True),
    ],
)
def test_who_is_asked_through_it(proxy, excepted, used):
    settings = ProxySettings(https_proxy=SecretStr(proxy) if proxy else None, no_proxy=excepted)
    assert (settings.to(ADDRESS) is not None) is used
    assert settings.to("http://127.0.0.1:8081/api") is None


@pytest.mark.parametrize("proxy", ["socks5://proxy.example", "http://", "http://proxy.example:0x", "ftp://x"])
def test_what_is_no_proxy_is_refused(proxy):
    with pytest.raises(ValueError, match="https_proxy"):
        ProxySettings(https_proxy=SecretStr(proxy))


async def test_it_is_asked_for_a_connection_and_never_sees_the_key():
    heads = []

    async def refuse(head, writer):
        heads.append(head)
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async with raw_server(refuse) as url:
        port = url.split(":")[2].split("/")[0]
        proxy = ProxySettings(https_proxy=SecretStr(f"http://user:{PASSWORD}@127.0.0.1:{port}")).to(ADDRESS)
        api = client(
            pytest.fail, network=way_out(proxy), base_url=ADDRESS, now=time.time, sleep=asyncio.sleep, timeout=10
        )
        with pytest.raises(errors.UpstreamUnreachableError, match="proxy") as caught:
            await api.platforms()
        # The service has not seen it.
        assert api.quota().remaining == 60
        upstream, *_ = await examine_upstream(
            LibrariesIOSettings(api_key=SecretStr(KEY), base_url=ADDRESS), time.time, proxy
        )
        await api.aclose()
    assert heads[0].startswith(b"CONNECT libraries.example:443 ")
    assert b"proxy-authorization: basic" in heads[0].lower()
    assert KEY.encode() not in b"".join(heads)
    assert place_of(proxy) == f"127.0.0.1:{port}"
    assert f"through the proxy 127.0.0.1:{port}" in upstream.tried
    assert PASSWORD not in repr((upstream, caught.value, api))
