"""Receivers of alerts with bad days, and what came to them: by webhook and by mail, each notice with its time."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session
from tests.support.alert_receiver import AlertReceiver
from tests.support.smtp_server import SmtpServer

HOOK_FAULTS: Final[tuple[tuple[int, Mapping[str, str]], ...]] = (
    (404, {}),
    (410, {}),
    (401, {}),
    (429, {"Retry-After": "3"}),
    (307, {"Location": "http://127.0.0.1:9/"}),
    (500, {}),
    (503, {"Retry-After": "soon"}),
    (0, {}),  # no answer
)
MAIL_FAULTS: Final = (
    "550 5.1.1 no such mailbox",
    "451 4.7.1 try again later",
    "554 5.7.1 spam",
    "452 4.3.1 disk full",
    "421 4.3.2 closing",
    "hang",
)
_SUBJECT: Final = re.compile(r"\[(FIRING:\d+|RESOLVED)\] (\w+)")


@dataclass(frozen=True)
class Notice:
    """One alert as one receiver was told of it."""

    at: float
    receiver: str
    alert: str
    status: str


class Hooks(AlertReceiver):
    """Webhooks by path; a path that has a fault takes nothing."""

    def __init__(self, notices: list[Notice]) -> None:
        super().__init__()
        self._notices = notices
        self.faults: dict[str, tuple[int, Mapping[str, str]]] = {}

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Keep it, or fail as it is to."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        receiver = handler.path.strip("/")
        status, headers = self.faults.get(receiver, (200, {}))
        if status == 0:
            while self.faults.get(receiver, (200, {}))[0] == 0:
                time.sleep(0.1)
            handler.close_connection = True
            return
        handler.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if status == 200:
            self._keep(receiver, json.loads(body))

    def _keep(self, receiver: str, message: Any) -> None:
        now = time.time()
        for alert in message["alerts"]:
            self._notices.append(Notice(now, receiver, alert["labels"]["alertname"], alert["status"]))


class Mails(SmtpServer):
    """A mail server; a recipient that has a fault gets nothing."""

    def __init__(self, notices: list[Notice]) -> None:
        super().__init__()
        self._notices = notices
        self.faults: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient or not."""
        fault = self.faults.get(_receiver(address), "")
        if fault.startswith("550"):
            return fault
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the mail or not."""
        receiver = _receiver(envelope.rcpt_tos[0])
        fault = self.faults.get(receiver, "")
        while fault == "hang":
            await asyncio.sleep(0.1)
            fault = self.faults.get(receiver, "451 4.7.1 that took too long")
        if fault:
            return fault
        answer = await super().handle_DATA(server, session, envelope)
        found = _SUBJECT.match(str(self.mails[-1]["Subject"]))
        assert found is not None
        status = "resolved" if found[1] == "RESOLVED" else "firing"
        self._notices.append(Notice(time.time(), receiver, found[2], status))
        return answer


def _receiver(address: str) -> str:
    return f"{address.partition('@')[0]}-mail"
