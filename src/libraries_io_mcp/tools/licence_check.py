"""A tool that says whether licences go together for a use case. Asks nobody."""

from collections import Counter
from typing import Annotated, Final, Self

from mcp_types import ToolAnnotations
from pydantic import Field

from libraries_io_mcp.answer import LongAnswer, Part, Tools
from libraries_io_mcp.answer.model import LONGEST_TEXT, lines, plain
from libraries_io_mcp.licences import Compatibility, UseCase, Verdict, check_own_licence, compatibility

GUIDE = "Licences: check_license_compatibility for SPDX expressions or plain names, for free."
MOST_READINGS: Final = 20
ORDER: Final[tuple[Verdict, ...]] = ("incompatible", "unknown", "compatible_with_obligations", "compatible")
# What get_package_info gives as license_text can be given here.
LicenceText = Annotated[str, Field(max_length=LONGEST_TEXT)]


class LicenceLine(Part):
    """One licence by itself."""

    license: str
    category: str | None
    verdict: str
    reason: str
    obligations: tuple[str, ...]

    def text(self) -> str:
        """The line as text."""
        duties = f" Obligations: {'; '.join(self.obligations)}." if self.obligations else ""
        return f"{self.verdict.upper()} {self.license} ({self.category or 'unknown terms'}): {self.reason}.{duties}"


class PairLine(Part):
    """Two licences in one program."""

    first: str
    second: str
    verdict: str
    reason: str

    def text(self) -> str:
        """The line as text."""
        return f"{self.verdict.upper()} {self.first} + {self.second}: {self.reason}"


class LicencesAnswer(LongAnswer):
    """Whether licences go together. Each licence and each pair has a line, the worst first."""

    verdict: Annotated[str, Field(description="The worst; unknown is no pass.")]
    use_case: str
    counts: dict[str, int]
    readings: tuple[str, ...]
    licenses: tuple[LicenceLine, ...]
    pairs: tuple[PairLine, ...]
    disclaimer: str

    def items(self) -> tuple[LicenceLine | PairLine, ...]:
        """Licences and pairs together, the worst first; of equal ones the licences."""
        both: tuple[LicenceLine | PairLine, ...] = (*self.licenses, *self.pairs)
        return tuple(sorted(both, key=lambda line: ORDER.index(line.verdict)))

    def part(self, start: int, end: int) -> Self:
        """The same judgement with these lines only."""
        lines = self.items()[start:end]
        return self.model_copy(
            update={
                "licenses": tuple(line for line in lines if isinstance(line, LicenceLine)),
                "pairs": tuple(line for line in lines if isinstance(line, PairLine)),
            }
        )

    def text(self) -> str:
        """The verdict, the counts, and each licence and each pair with its reason."""
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items() if count)
        head = f"{self.verdict} for use case {self.use_case}. Licences and pairs: {counts}"
        return lines(head, *self.readings, then=(*(line.text() for line in self.items()), self.disclaimer))


async def check_license_compatibility(
    licenses: Annotated[
        list[LicenceText],
        Field(min_length=1, max_length=100, description="One a package: SPDX, or as packages write."),
    ],
    use_case: Annotated[
        UseCase,
        Field(
            description="link: unchanged libraries in a program others get; distribute: copied or changed code in it; "
            "saas: others use it over a network; internal: nobody else gets it."
        ),
    ],
    project_license: Annotated[LicenceText | None, Field(description="The program's own.")] = None,
) -> LicencesAnswer:
    """Whether packages under these licences may be used together, each licence and pair with its reason.

    General rules, not legal advice. Costs no request.
    """
    if project_license is not None:
        check_own_licence(project_license)
    return _answer(compatibility(licenses, use_case, project_license))


def _answer(found: Compatibility) -> LicencesAnswer:
    counted = Counter([line.verdict for line in found.licences] + [line.verdict for line in found.pairs])
    return LicencesAnswer(
        verdict=found.verdict,
        use_case=found.use_case,
        counts={verdict: counted[verdict] for verdict in ORDER},
        readings=_readings(found),
        licenses=tuple(
            LicenceLine(
                license=line.licence,
                category=line.category,
                verdict=line.verdict,
                reason=line.reason,
                obligations=line.obligations,
            )
            for line in found.licences
        ),
        pairs=tuple(
            PairLine(
                first=pair.first,
                second=f"{pair.second} (the project's own)" if pair.project else pair.second,
                verdict=pair.verdict,
                reason=pair.reason,
            )
            for pair in found.pairs
        ),
        disclaimer=found.disclaimer,
    )


def _readings(found: Compatibility) -> tuple[str, ...]:
    notes = [
        plain(reading.note, 300)
        if reading.note.startswith(reading.said[:100])
        else f"{plain(reading.said, 100)}: {plain(reading.note, 200)}"
        for reading in found.readings
        if reading.note
    ]
    notes += [f"{plain(choice.expression, 100)}: {plain(choice.chosen, 100)} was chosen" for choice in found.choices]
    if not found.exhaustive:
        notes.append("Too many alternatives to try all of them, so no verdict of incompatible is given.")
    notes = list(dict.fromkeys(notes))
    if len(notes) > MOST_READINGS:
        notes = [*notes[:MOST_READINGS], f"{len(notes) - MOST_READINGS} further readings left out."]
    return tuple(notes)


def register(tools: Tools) -> None:
    """Add the tools of this domain."""
    tools.add(
        "Licences",
        check_license_compatibility,
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )
