"""What the command prints: lines, and colours only where they are seen."""

import io

from libraries_io_mcp.doctor.command import line, show
from libraries_io_mcp.doctor.examination import Examination
from libraries_io_mcp.doctor.finding import Finding

FINDINGS = (
    Finding("settings", "ok", "the environment read", "allowed"),
    Finding("key", "broken", "GET /", "status 403", "Compare it."),
    Finding("mail", "skipped", "SMTP_SERVER", "not set"),
)


class Terminal(io.StringIO):
    """Says that somebody looks at it."""

    def isatty(self) -> bool:
        return True


def printed(out: io.StringIO) -> str:
    show(Examination(FINDINGS), out)
    return out.getvalue()


def test_one_line_a_finding():
    first, *lines, last = printed(io.StringIO()).splitlines()
    assert first.startswith("libraries-io-mcp ")
    assert lines == [
        "ok       settings         the environment read: allowed",
        "broken   key              GET /: status 403 -> Compare it.",
        "skipped  mail             SMTP_SERVER: not set",
    ]
    assert last == "1 ok, 1 broken, 1 skipped"


def test_colours_on_a_terminal_only():
    assert "\x1b[1;31mbroken  \x1b[0m" in printed(Terminal())
    assert "\x1b" not in printed(io.StringIO())
    assert "\x1b" not in line(FINDINGS[1], coloured=False)


def test_what_is_required():
    assert Examination(FINDINGS).broken
    assert not Examination(FINDINGS[:1]).broken
    assert Examination(FINDINGS).facts()["status"] == "broken"
    assert Examination(FINDINGS[:1]).facts()["status"] == "ok"
    warned = Examination((Finding("mail", "warning", "a", "b"),))
    assert (warned.broken, warned.facts()["status"]) == (False, "warning")
