"""A tool that says whether licences go together for a use case. Asks nobody."""

from typing import Annotated, Final

from mcp_types import ToolAnnotations
from pydantic import Field

from libraries_io_mcp.answer import Answer, Part, Tools
from libraries_io_mcp.answer.model import lines, plain
from libraries_io_mcp.licences import Compatibility, UseCase, Verdict, compatibility

GUIDE = "Licences: check_license_compatibility for SPDX expressions or plain names, for free."
MOST_PAIRS: Final = 30
MOST_LICENCES: Final = 20
MOST_READINGS: Final = 20
ORDER: Final[tuple[Verdict, ...]] = ("incompatible", "unknown", "compatible_with_obligations", "compatible")
LicenceText = Annotated[str, Field(max_length=500)]


class LicenceLine(Part):
    """One licence by itself."""

    licence: str
    category: str | None
    verdict: str
    reason: str
    obligations: tuple[str, ...]

    def text(self) -> str:
        """The line as text."""
        duties = f" Obligations: {'; '.join(self.obligations)}." if self.obligations else ""
        return f"{self.verdict.upper()} {self.licence} ({self.category or 'unknown terms'}): {self.reason}{duties}"


class PairLine(Part):
    """Two licences in one program."""

    first: str
    second: str
    verdict: str
    reason: str


class LicencesAnswer(Answer):
    """Whether licences go together."""

    verdict: Annotated[str, Field(description="The worst: incompatible, unknown (no pass), compatible...")]
    use_case: str
    readings: tuple[str, ...]
    licenses: tuple[LicenceLine, ...]
    pairs: tuple[PairLine, ...]
    left_out: int
    disclaimer: str

    def text(self) -> str:
        """The verdict, each licence and each pair with its reason."""
        each = (one.text() for one in self.licenses)
        pairs = (f"{pair.verdict.upper()} {pair.first} + {pair.second}: {pair.reason}" for pair in self.pairs)
        more = f"{self.left_out} milder lines left out." if self.left_out else None
        head = f"{self.verdict} for use case {self.use_case}"
        return lines(head, *self.readings, then=(*each, *pairs, *([more] if more else []), self.disclaimer))


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
    project_license: Annotated[LicenceText | None, Field(description="Under which the program is published.")] = None,
) -> LicencesAnswer:
    """Whether packages under these licences may be used together, each licence and pair with its reason.

    General rules, not legal advice. Costs no request.
    """
    return _answer(compatibility(licenses, use_case, project_license))


def _answer(found: Compatibility) -> LicencesAnswer:
    licences = sorted(found.licences, key=lambda line: ORDER.index(line.verdict))
    # A pair that says no more than its parts is no news.
    pairs = sorted(found.pairs, key=lambda line: ORDER.index(line.verdict))
    return LicencesAnswer(
        verdict=found.verdict,
        use_case=found.use_case,
        readings=_readings(found),
        licenses=tuple(
            LicenceLine(
                licence=line.licence,
                category=line.category,
                verdict=line.verdict,
                reason=line.reason,
                obligations=line.obligations,
            )
            for line in licences[:MOST_LICENCES]
        ),
        pairs=tuple(
            PairLine(
                first=pair.first,
                second=f"{pair.second} (the project's own)" if pair.project else pair.second,
                verdict=pair.verdict,
                reason=pair.reason,
            )
            for pair in pairs[:MOST_PAIRS]
        ),
        left_out=max(len(licences) - MOST_LICENCES, 0) + max(len(pairs) - MOST_PAIRS, 0),
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
