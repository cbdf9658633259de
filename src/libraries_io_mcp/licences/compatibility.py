"""The whole judgement: several licences and a use case to one verdict, with every reason beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, get_args

from libraries_io_mcp.errors import InvalidRequestError
from libraries_io_mcp.licences.choosing import mildest
from libraries_io_mcp.licences.expression import Reading, Together, licence_named, read_licence
from libraries_io_mcp.licences.rules import Judgement, alone, into_project, obligations_for, pair
from libraries_io_mcp.licences.terms import Licence, UseCase, Verdict, worst

MAX_LICENCES: Final = 100
NOT_LEGAL_ADVICE: Final = (
    "This is a technical reading of licence names by general rules, not legal advice; it has not seen the licence "
    "texts in the packages."
)


@dataclass(frozen=True, slots=True)
class LicenceFinding:
    """One licence in this use case. `category` is `None` and `obligations` empty for an unknown one."""

    licence: str
    category: str | None
    verdict: Verdict
    reason: str
    obligations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PairFinding:
    """Two licences in one program. With `project` the second is the licence of the project itself."""

    first: str
    second: str
    project: bool
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Which alternative of an OR expression the judgement rests on."""

    expression: str
    chosen: str


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The judgement.

    Attributes:
        verdict: the worst of all findings; "unknown" is worse than a pass and better than "incompatible".
        readings: how each given text was understood, in the given order; the project's own comes last.
        licences: each licence by itself. The project's own is not among them.
        pairs: each two licences of the packages, and each with the project's own.
        choices: the alternatives taken where a text offers several: those with the mildest verdict.
        unknown: names without known terms, among the chosen alternatives.
        exhaustive: `False` if there were too many alternatives to try all; no "incompatible" is said then.
        disclaimer: the sentence that this is no legal advice.
    """

    use_case: UseCase
    verdict: Verdict
    readings: tuple[Reading, ...]
    licences: tuple[LicenceFinding, ...]
    pairs: tuple[PairFinding, ...]
    choices: tuple[Choice, ...]
    unknown: tuple[str, ...]
    exhaustive: bool
    disclaimer: str = NOT_LEGAL_ADVICE


def compatibility(licences: Sequence[str], use_case: UseCase, project_licence: str | None = None) -> Compatibility:
    """Judge whether packages under these licences may be used together for the use case.

    Args:
        licences: one text a package: an SPDX expression or what the package says. At most 100.
        use_case: "link" (unchanged libraries of a program that others get), "distribute" (copied or changed code in
            a program that others get), "saas" (others use it over a network), "internal" (nobody outside gets it).
        project_licence: the licence under which the program itself is published, if any.

    Raises:
        InvalidRequestError: no or too many licences, or another use case.
    """
    _check(licences, use_case)
    readings = [read_licence(text) for text in licences]
    project = read_licence(project_licence) if project_licence is not None else None
    distinct = list({reading.alternatives: reading for reading in readings}.values())
    asked = [*distinct, project] if project else distinct
    chosen = mildest(
        [reading.alternatives for reading in asked],
        lambda first, second, own: _judge(first, second, own, use_case)[0],
        project=project is not None,
    )
    packages = chosen.alternatives[: len(distinct)]
    own = chosen.alternatives[-1] if project else ()
    names = tuple(dict.fromkeys(name for together in packages for name in together))
    findings = tuple(_finding(name, use_case) for name in names)
    pairs = _pairs(names, own, use_case)
    verdict = worst(*(finding.verdict for finding in findings), *(finding.verdict for finding in pairs))
    return Compatibility(
        use_case=use_case,
        verdict="unknown" if verdict == "incompatible" and not chosen.exhaustive else verdict,
        readings=tuple([*readings, project] if project else readings),
        licences=findings,
        pairs=pairs,
        choices=_choices(asked, chosen.alternatives),
        unknown=tuple(name for name in dict.fromkeys((*names, *own)) if licence_named(name) is None),
        exhaustive=chosen.exhaustive,
    )


def check_own_licence(text: str) -> None:
    """Refuse a licence of the project against which nothing could be judged.

    Raises:
        InvalidRequestError: the terms of none of its alternatives are known.
    """
    reading = read_licence(text)
    if not any(all(licence_named(name) for name in together) for together in reading.alternatives):
        raise InvalidRequestError(
            f"The argument `project_license` is no licence whose terms are known here: {reading.said[:100]!r}.",
            next_step="Give its SPDX id, such as MIT or GPL-3.0-only, Proprietary, or leave it out.",
        )


def _check(licences: Sequence[str], use_case: str) -> None:
    if isinstance(licences, str) or not 0 < len(licences) <= MAX_LICENCES:
        raise InvalidRequestError(f"licences: a list of 1 to {MAX_LICENCES} texts is expected.")
    if use_case not in get_args(UseCase):
        raise InvalidRequestError(f"use_case: one of {', '.join(get_args(UseCase))} is expected.")


def _judge(first: str, second: str, project: bool, use_case: UseCase) -> Judgement:
    one, other = licence_named(first), licence_named(second)
    if one is None or other is None:
        missing = " and ".join(dict.fromkeys(name for name in (first, second) if licence_named(name) is None))
        return "unknown", f"the terms of {missing} are not known here"
    return into_project(one, other, use_case) if project else pair(one, other, use_case)


def _pairs(names: Together, own: Together, use_case: UseCase) -> tuple[PairFinding, ...]:
    asked = [(first, second, False) for first, second in combinations(names, 2)]
    asked += [(name, licence, True) for licence in own for name in names]
    return tuple(PairFinding(*question, *_judge(*question, use_case)) for question in asked)


def _finding(name: str, use_case: UseCase) -> LicenceFinding:
    licence: Licence | None = licence_named(name)
    if licence is None:
        return LicenceFinding(name, None, "unknown", "its terms are not known here; read its text", ())
    asks = tuple(one.value for one in obligations_for(licence, use_case))
    return LicenceFinding(name, licence.category.value, *alone(licence, use_case), asks)


def _choices(readings: list[Reading], chosen: tuple[Together, ...]) -> tuple[Choice, ...]:
    return tuple(
        Choice(reading.read_as or reading.said, " AND ".join(together))
        for reading, together in zip(readings, chosen, strict=True)
        if len(reading.alternatives) > 1
    )
