"""The place of the quota in the network stack."""

from typing import Final

import httpx

from libraries_io_mcp.librariesio.question import question_of
from libraries_io_mcp.librariesio.quota import Quota
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.waits import Waits

NOT_CONNECTED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class RateLimitTransport(httpx.AsyncBaseTransport):
    """Lets requests pass as the quota allows, and tells the quota what came back."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, *, quota: Quota, instruments: Instruments, waits: Waits
    ) -> None:
        self._inner = inner
        self._waits = waits
        self._quota = quota
        self._instruments = instruments

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send when it is this request's turn.

        Raises:
            QuotaExceededError: its turn would come too late.
        """
        question = question_of(request)
        question.sent = False
        with self._waits.quota(question.endpoint) as wait:
            permit = await self._quota.acquire(question)
            wait.held_up = permit.waited > 0
        question.waited, question.sent = permit.waited, True
        question.requests += 1
        try:
            self._instruments.quota_wait(question.endpoint, permit.waited)
            reply = await self._inner.handle_async_request(request)
            question.sent = False
            await self._quota.learn(reply, sent=permit.sent)
        except NOT_CONNECTED:
            question.requests -= 1
            await self._quota.refund(permit)
            raise
        finally:
            self._quota.release(permit)
        return reply

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()
