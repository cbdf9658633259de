"""An audit as Markdown that a person would paste into a pull request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from libraries_io_mcp.judging.audit import Audit
from libraries_io_mcp.judging.audited import AuditLine, Finding
from libraries_io_mcp.judging.markdown import NOTHING, code, table

ROOM: Final = 11_000
"""Characters for the rows; with heading, counts and notes the report stays within an answer's token budget."""
ACT_ON: Final[tuple[Finding, ...]] = ("removed", "deprecated", "unmaintained", "licence", "outdated", "stale")
HEADINGS: Final[dict[Finding, str]] = {
    "missing": "Not known to Libraries.io: private, or misspelt",
    "unasked": "Could not be looked up now",
    "unread": "Could not be read",
}


@dataclass(frozen=True, slots=True)
class Report:
    """The text, and how many rows did not fit into it."""

    markdown: str
    left_out: int


class _Writer:
    """Lines with an end: rows that do not fit are counted."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.left_out = 0
        self._room = ROOM

    def rows(self, heading: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A heading and as many rows as fit."""
        if not rows:
            return
        kept: list[Sequence[str]] = []
        for row in rows:
            self._room -= sum(len(cell) + 3 for cell in row)
            if self._room < 0:
                break
            kept.append(row)
        self.left_out += len(rows) - len(kept)
        self.lines += ["", f"### {heading} ({len(rows)})", ""]
        self.lines += table(head, kept) if kept else ["Left out here for want of room."]


def report(audit: Audit, filename: str | None) -> Report:
    """The report, worst first; what does not fit is counted at its end."""
    writer = _Writer()
    writer.lines += [f"## Dependencies of {code(filename or audit.kind)}", "", _summary(audit), "", *_counts(audit)]
    acting = [line for line in audit.lines if line.findings and line.findings[0] in ACT_ON]
    writer.rows("What to act on", ("package", "declared", "newest", "finding", "why"), [_act(line) for line in acting])
    for finding, heading in HEADINGS.items():
        lines = [line for line in audit.lines if line.findings[:1] == (finding,)]
        writer.rows(heading, ("entry", "line", "why"), [_bare(line) for line in lines])
    writer.lines += ["", "### What this does not tell", ""]
    writer.lines += [f"- {note}" for note in _unknowns(audit)]
    if writer.left_out:
        writer.lines.append(f"- {writer.left_out} rows are left out for want of room.")
    writer.lines += ["", f"_From Libraries.io, as of {audit.found.as_of():%Y-%m-%d %H:%M} UTC._"]
    return Report("\n".join(writer.lines), writer.left_out)


def _summary(audit: Audit) -> str:
    counts = audit.counts()
    unread = counts["unread"]
    return f"{len(audit.lines) - unread} dependencies, {counts['nothing_found']} of them without a finding."


def _counts(audit: Audit) -> list[str]:
    counts = {word: count for word, count in audit.counts().items() if count}
    return table(list(counts), [[str(count) for count in counts.values()]])


def _act(line: AuditLine) -> list[str]:
    why = "; ".join(code(reason) for reason in line.why)
    return [code(line.name), code(line.declared), code(line.newest), ", ".join(line.findings), why]


def _bare(line: AuditLine) -> list[str]:
    return [code(line.name), str(line.line) if line.line else NOTHING, code("; ".join(line.why))]


def _unknowns(audit: Audit) -> list[str]:
    counts = audit.counts()
    notes = [*audit.notes]
    if counts["unknown_outdated"]:
        notes.append(f"Whether it is outdated is unknown for {counts['unknown_outdated']} dependencies.")
    if counts["unknown_licence"]:
        notes.append(f"The licence is unknown for {counts['unknown_licence']} dependencies.")
    return notes
