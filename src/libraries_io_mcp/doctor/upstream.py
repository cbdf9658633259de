"""Libraries.io: whether it is reached, knows the key, and goes by the same clock. Costs one request of the quota."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
from pydantic import SecretStr

from libraries_io_mcp import __version__
from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.errors import KeyMissingError, KeyRejectedError, QuotaExceededError
from libraries_io_mcp.librariesio.decoder import decode
from libraries_io_mcp.librariesio.faults import fault_of_reply
from libraries_io_mcp.librariesio.models import Sourcerank
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.settings.proxy import place_of
from libraries_io_mcp.telemetry.reasons import reason
from libraries_io_mcp.tls import trust

PATH: Final = "/NPM/lodash/sourcerank"
"""Small and quick to answer; that the package is there does not matter."""
SECONDS: Final = 8.0
CLOCK_SECONDS: Final = 5.0
"""So far the clocks may be apart."""
KEY_ADVICE: Final = "Compare LIBRARIES_IO_API_KEY with the key shown at https://libraries.io/account."


async def examine_upstream(
    settings: LibrariesIOSettings, now: Callable[[], float], proxy: SecretStr | None = None
) -> tuple[Finding, ...]:
    """Findings `upstream`, `key` and `clock`. `now` is epoch seconds."""
    way = f", through the proxy {place_of(proxy)} (HTTPS_PROXY)" if proxy else ""
    tried = f"GET {settings.base_url}{PATH}, one request{way}"
    key = settings.api_key
    parameters = {"api_key": key.get_secret_value()} if key else {}
    headers = {"Accept": "application/json", "User-Agent": f"libraries-io-mcp/{__version__}"}
    sent = now()
    try:
        url = proxy.get_secret_value() if proxy else None
        async with httpx.AsyncClient(
            trust_env=False, verify=trust(), proxy=url, timeout=SECONDS, headers=headers
        ) as client:
            reply = await client.get(f"{settings.base_url}{PATH}", params=parameters)
    except (httpx.HTTPError, OSError) as error:
        why = "no answer in time" if isinstance(error, httpx.TimeoutException) else reason(error)
        return _unreached(tried, why, key_present=key is not None)
    received = now()
    return _upstream(tried, reply), _key(tried, reply, key_present=key is not None), _clock(reply, sent, received)


def _unreached(tried: str, why: str, *, key_present: bool) -> tuple[Finding, ...]:
    advice = "Look at LIBRARIES_IO_BASE_URL, the network, the way out through firewalls, and HTTPS_PROXY and NO_PROXY."
    unknown = "not known, since the service was not reached"
    return (
        Finding("upstream", "broken", tried, why, advice),
        Finding("key", "skipped", tried, unknown) if key_present else _no_key(),
        Finding("clock", "skipped", "the Date of its reply", unknown),
    )


def _upstream(tried: str, reply: httpx.Response) -> Finding:
    came = f"status {reply.status_code}"
    left = reply.headers.get("x-ratelimit-remaining", "")
    if left.isdecimal():
        came += f", {int(left)} requests left in this window"
    if reply.status_code == 429:
        advice = "Wait for the next window; somebody uses the same key, or the same address without one."
        return Finding("upstream", "warning", tried, f"{came}: the quota is used up", advice)
    if reply.status_code >= 500:
        return Finding("upstream", "broken", tried, f"{came}: its own fault", "Wait; https://libraries.io shows it.")
    kind = reply.headers.get("content-type", "").partition(";")[0]
    if reply.status_code not in (401, 403) and kind != "application/json":
        advice = (
            "There is no Libraries.io API at this address: correct LIBRARIES_IO_BASE_URL, or log in to the network."
        )
        return Finding("upstream", "broken", tried, f"{came} with {kind or 'no content type'}", advice)
    if reply.status_code == 200:
        return _readable(tried, came, reply)
    return Finding("upstream", "ok", tried, came)


def _readable(tried: str, came: str, reply: httpx.Response) -> Finding:
    """Whether the reply has the form that this version of the server reads."""
    advice = "The service has changed: answers say which facts are unknown. Look for a newer version of this server."
    try:
        _, deviations = decode(Sourcerank, reply.content)
    except ValueError:
        return Finding("upstream", "broken", tried, f"{came}, and the reply does not have the promised form", advice)
    if deviations:
        return Finding(
            "upstream", "warning", tried, f"{came}; not readable in the reply: {', '.join(deviations)}", advice
        )
    return Finding("upstream", "ok", tried, came)


def _key(tried: str, reply: httpx.Response, *, key_present: bool) -> Finding:
    if not key_present:
        return _no_key()
    fault = fault_of_reply(reply, key_present=key_present)
    if isinstance(fault, KeyRejectedError | KeyMissingError):
        return Finding("key", "broken", tried, f"status {reply.status_code}: the key is not known", KEY_ADVICE)
    if reply.status_code >= 500 or isinstance(fault, QuotaExceededError):
        return Finding("key", "skipped", tried, f"not known from status {reply.status_code}")
    return Finding("key", "ok", tried, "accepted")


def _no_key() -> Finding:
    advice = "Set LIBRARIES_IO_API_KEY (https://libraries.io/account): without it 10 requests an hour, no search."
    return Finding("key", "warning", "LIBRARIES_IO_API_KEY", "no key is set", advice)


def _clock(reply: httpx.Response, sent: float, received: float) -> Finding:
    tried = "the Date of its reply against this machine's clock"
    try:
        theirs = parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return Finding("clock", "skipped", tried, "the reply has no Date")
    # A Date is cut to whole seconds, so it was half a second later on average.
    ahead = (sent + received) / 2 - (theirs + 0.5)
    unsure = (received - sent) / 2 + 0.5
    if abs(ahead) - unsure > CLOCK_SECONDS:
        found = f"this machine is {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}"
        advice = "Set the clock (NTP): quota windows, certificates, tokens and the times of alerts depend on it."
        return Finding("clock", "warning", tried, found, advice)
    return Finding("clock", "ok", tried, f"within {CLOCK_SECONDS:g} s")
