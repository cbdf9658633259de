"""One POST or GET to a receiver of alerts, and what its reply means for the delivery."""

import asyncio
import base64
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import httpx

from libraries_io_mcp.alerting.channels.notification import Delivered, Failed, Result, cleaned
from libraries_io_mcp.telemetry.reasons import reason
from libraries_io_mcp.tls import trust

LONGEST_REPLY_BYTES: Final = 64 * 1024
LONGEST_ASKED_SECONDS: Final = 3600.0
"""What is asked for by `Retry-After` beyond this is taken as this."""
USER_AGENT: Final = "libraries-io-mcp"


class HttpPost:
    """Sends requests to one place. What is said of a failure holds neither its address nor a secret.

    Args:
        seconds: for one request in all.
        username: with `password`, sent as basic authentication.
        headers: further ones, as they are; their values are secrets.
    """

    def __init__(
        self,
        *,
        seconds: float,
        now: Callable[[], float],
        username: str | None = None,
        password: str | None = None,
        headers: Mapping[str, str] | None = None,
        network: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._seconds = seconds
        self._now = now
        self._headers = {"User-Agent": USER_AGENT, **(headers or {}), "Content-Type": "application/json"}
        if username is not None:
            login = base64.b64encode(f"{username}:{password or ''}".encode()).decode()
            self._headers["Authorization"] = f"Basic {login}"
        self._secrets = [*(headers or {}).values(), password or "", self._headers.get("Authorization", "")]
        self._secrets += [value.partition(" ")[2] for value in self._secrets]
        # Nothing of this machine's proxy settings: an alert must not depend on them.
        self._client = httpx.AsyncClient(
            transport=network, trust_env=False, timeout=seconds, verify=trust() if network is None else False
        )

    async def send(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Result:
        """Send once. Redirects are not followed: they may lead secrets elsewhere."""
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._client.stream(method, url, content=body, headers={**self._headers, **(headers or {})}) as reply,
            ):
                content = b""
                async for chunk in reply.aiter_raw():
                    content += chunk
                    if len(content) > LONGEST_REPLY_BYTES:
                        break
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            return Failed(f"the address or a header can't be used ({type(error).__name__})")
        except (TimeoutError, httpx.TimeoutException):
            return Failed(f"it did not answer within {self._seconds:g} s")
        except (httpx.HTTPError, OSError) as error:
            return Failed(cleaned(reason(error), self._all_secrets(url)))
        if reply.is_success:
            return Delivered("the reply was longer than 64 KiB" if len(content) > LONGEST_REPLY_BYTES else None)
        words = cleaned(content[:1000].decode("utf-8", "replace"), self._all_secrets(url))
        what = "a redirect, which is not followed" if reply.is_redirect else words
        answered = f"it answered {reply.status_code}"
        return Failed(
            f"{answered}: {what}" if what else answered, seconds_asked(reply.headers.get("Retry-After"), self._now())
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _all_secrets(self, url: str) -> Iterable[str]:
        parts = urlsplit(url)
        # The path and the query of a webhook's address are its password.
        pieces = (*parts.path.split("/"), *(value for _name, value in parse_qsl(parts.query)))
        return (*self._secrets, url, parts.path.strip("/"), parts.query, *filter(_may_be_secret, pieces))


def _may_be_secret(piece: str) -> bool:
    """Shorter ones would take their letters out of every word."""
    return len(piece) > 5


def seconds_asked(retry_after: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number or an HTTP date; `None` for anything else."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_ASKED_SECONDS)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max(0.0, at.timestamp() - now), LONGEST_ASKED_SECONDS)
