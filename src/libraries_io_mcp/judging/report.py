"""An audit as Markdown that a person would paste into a pull request; a long one in parts that each stand alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from libraries_io_mcp.answer.model import counted
from libraries_io_mcp.judging.audit import Audit
from libraries_io_mcp.judging.audited import AuditLine, Finding
from libraries_io_mcp.judging.markdown import NOTHING, code, table, table_row

ACT_ON: Final[tuple[Finding, ...]] = ("removed", "deprecated", "unmaintained", "license", "outdated", "stale")
HEADINGS: Final[dict[Finding, str]] = {
    "missing": "Not known to Libraries.io: private, or misspelt",
    "unasked": "Could not be looked up now",
    "unread": "Could not be read",
}
ELSEWHERE: Final = "None of them in this part. The call with the cursor of a part gives the next one."


@dataclass(frozen=True, slots=True)
class Section:
    """A table under its heading; the rows are lines of Markdown."""

    heading: str
    head: tuple[str, ...]
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What every part of the report says, and the sections whose rows are shared out among the parts."""

    head: tuple[str, ...]
    sections: tuple[Section, ...]
    tail: tuple[str, ...]

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows of all sections, in their order."""
        return tuple(row for section in self.sections for row in section.rows)

    def markdown(self, start: int, end: int) -> str:
        """The report with the rows from `start` up to `end`; all others are counted by their section."""
        lines = list(self.head)
        count = len(self.rows)
        if start > 0 or end < count:
            lines += ["", f"_A part of the report: rows {start + 1} to {end} of {count}._"]
        places = accumulate((len(section.rows) for section in self.sections), initial=0)
        for section, place in zip(self.sections, places, strict=False):
            rows = section.rows[max(start - place, 0) : max(end - place, 0)]
            lines += ["", f"### {section.heading} ({len(section.rows)})", ""]
            lines += [*table(section.head, ()), *rows] if rows else [ELSEWHERE]
        return "\n".join((*lines, *self.tail))


def report(audit: Audit, filename: str | None) -> Report:
    """The report, worst first."""
    acting = [line for line in audit.lines if line.findings and line.findings[0] in ACT_ON]
    unknown = [line for line in audit.lines if not line.findings and line.unknown]
    sections = [
        Section("What to act on", ("package", "declared", "newest", "finding", "why"), tuple(map(_act, acting))),
        Section("Unknown in part", ("package", "declared", "unknown", "why"), tuple(map(_open, unknown))),
    ]
    for finding, heading in HEADINGS.items():
        lines = [line for line in audit.lines if line.findings[:1] == (finding,)]
        sections.append(Section(heading, ("entry", "line", "why"), tuple(map(_bare, lines))))
    return Report(
        head=(f"## Dependencies of {code(filename or audit.kind)}", "", _summary(audit), "", *_counts(audit)),
        sections=tuple(section for section in sections if section.rows),
        tail=(
            "",
            "### What this does not tell",
            "",
            *(f"- {note}" for note in audit.notes),
            "",
            f"_From Libraries.io, as of {audit.found.as_of():%Y-%m-%d %H:%M} UTC._",
        ),
    )


def _summary(audit: Audit) -> str:
    counts = audit.counts()
    read = len(audit.lines) - counts["unread"]
    fine, unknown = counts["nothing_found"], counts["partly_unknown"]
    return (
        f"{counted(read, 'dependency')}: {fine} fine, {read - fine - unknown} with findings, {unknown} unknown in part."
    )


def _counts(audit: Audit) -> Sequence[str]:
    counts = {word: count for word, count in audit.counts().items() if count}
    return table(list(counts), [[str(count) for count in counts.values()]])


def _act(line: AuditLine) -> str:
    return table_row([code(line.name), code(line.declared), code(line.newest), ", ".join(line.findings), _why(line)])


def _open(line: AuditLine) -> str:
    return table_row([code(line.name), code(line.declared), ", ".join(line.unknown), _why(line)])


def _bare(line: AuditLine) -> str:
    return table_row([code(line.name), str(line.line) if line.line else NOTHING, code("; ".join(line.why))])


def _why(line: AuditLine) -> str:
    return "; ".join(code(reason) for reason in line.why) or NOTHING
