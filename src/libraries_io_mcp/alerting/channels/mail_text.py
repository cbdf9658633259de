"""The mail that says what fires: headers, text and HTML, and the thread that firing and resolved make."""

import html
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.notification import Notification

DISPLAY_NAME: Final = "libraries-io-mcp"
LONGEST_SUBJECT: Final = 200
MOST_ALERTS: Final = 50
"""So many are written out in full; of the others only the number."""
_COLOURS: Final = {"critical": "#b00020", "high": "#c75000", "medium": "#8a6d00", "low": "#2f5d8a", "none": "#555555"}
_RESOLVED_COLOUR: Final = "#1b7a3d"


def compose(notification: Notification, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The mail. The same notification gives the same `Message-ID`, so a mail that was sent twice can be seen as one."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(sender, DISPLAY_NAME)
    mail["To"] = [_address(each) for each in recipients]
    mail["Date"] = format_datetime(datetime.fromtimestamp(int(notification.created), UTC))
    mail["Subject"] = subject(notification)
    domain = sender.rpartition("@")[2]
    mail["Message-ID"] = f"<{notification.identity}@{domain}>"
    # The thread hangs on a mail that never was, as with Alertmanager: nobody need know which one came first.
    mail["References"] = f"<{notification.thread}@{domain}>"
    # Vacation programs and ticket systems must not answer.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content("\n".join(_text(notification)) + "\n")
    mail.add_alternative(_html(notification), subtype="html")
    return mail


def subject(notification: Notification) -> str:
    """`[FIRING:2] HighErrorRate (high) libraries-io-mcp`: one line whatever the labels hold."""
    firing = sum(alert.state == "firing" for alert in notification.alerts)
    status = f"FIRING:{firing}" if firing else "RESOLVED"
    group = notification.group
    line = f"[{status}] {group.get('alertname', '')} ({notification.severity}) {group.get('service_name', '')}"
    return _one_line(line)[:LONGEST_SUBJECT].rstrip()


def _address(text: str, name: str = "") -> Address:
    # Address() refuses line breaks and the like, so no further header can be smuggled in.
    return Address(name, addr_spec=text)


def _one_line(text: str) -> str:
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def _when(seconds: float | None) -> str:
    return "unknown" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _facts(alert: Alert) -> Iterator[tuple[str, str]]:
    yield "severity", alert.severity
    yield "since", _when(alert.fired_at)
    if alert.state == "resolved":
        yield "until", _when(alert.resolved_at)
    yield "value", f"{alert.value:g}"
    yield from ((name, value) for name, value in sorted(alert.labels.items()) if name not in {"alertname", "severity"})


def _title(alert: Alert) -> str:
    state = "FIRING" if alert.state == "firing" else "RESOLVED"
    return f"{state}: {_one_line(alert.annotations.get('summary') or alert.name)}"


def _more(notification: Notification) -> str | None:
    more = len(notification.alerts) - MOST_ALERTS
    return f"and {more} more alerts of this group" if more > 0 else None


def _text(notification: Notification) -> Iterator[str]:
    for alert in notification.alerts[:MOST_ALERTS]:
        yield _title(alert)
        if description := alert.annotations.get("description"):
            yield f"  {description.strip()}"
        yield from (f"  {name}: {_one_line(value)}" for name, value in _facts(alert))
        if runbook := alert.annotations.get("runbook_url"):
            yield f"  what to do: {_one_line(runbook)}"
        yield ""
    if more := _more(notification):
        yield more


def _html(notification: Notification) -> str:
    parts = [_card(alert) for alert in notification.alerts[:MOST_ALERTS]]
    if more := _more(notification):
        parts.append(f"<p>{html.escape(more)}</p>")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>'
        f"{html.escape(subject(notification))}</title></head>\n"
        f'<body style="font-family: sans-serif">\n{"".join(parts)}</body></html>\n'
    )


def _card(alert: Alert) -> str:
    colour = _COLOURS[alert.severity] if alert.state == "firing" else _RESOLVED_COLOUR
    lines = [
        f'<div style="border-left: 6px solid {colour}; margin: 0 0 16px; padding: 4px 12px">\n',
        f'<h2 style="font-size: 16px; margin: 0 0 8px">{html.escape(_title(alert))}</h2>\n',
    ]
    if description := alert.annotations.get("description"):
        lines.append(f"<p>{html.escape(description.strip())}</p>\n")
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>" for name, value in _facts(alert)
    )
    lines.append(f'<table cellpadding="3">{rows}</table>\n')
    if runbook := alert.annotations.get("runbook_url"):
        lines.append(f"<p>{_link(runbook)}</p>\n")
    return "".join([*lines, "</div>\n"])


def _link(address: str) -> str:
    shown = html.escape(address)
    # Nothing but a web page: an annotation may not make a link that runs something.
    if not address.startswith(("https://", "http://")):
        return f"What to do: {shown}"
    return f'<a href="{shown}">What to do</a>'
