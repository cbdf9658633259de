"""The words of a judgement: use cases, verdicts, categories, obligations, and what one licence is made of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

UseCase = Literal["link", "distribute", "saas", "internal"]
Verdict = Literal["compatible", "compatible_with_obligations", "unknown", "incompatible"]
Gpl = Literal[2, 3]

STRICTNESS: Final[tuple[Verdict, ...]] = ("compatible", "compatible_with_obligations", "unknown", "incompatible")
"""From the mildest to the worst. Unknown is worse than any pass: nobody may read it as one."""


class Category(StrEnum):
    """How far the conditions of a licence reach."""

    PUBLIC_DOMAIN = "public domain"
    PERMISSIVE = "permissive"
    WEAK_COPYLEFT = "weak copyleft"
    STRONG_COPYLEFT = "strong copyleft"
    NETWORK_COPYLEFT = "network copyleft"
    SOURCE_AVAILABLE = "source-available"
    PROPRIETARY = "proprietary"


class Obligation(StrEnum):
    """What a licence asks for, each in one clause."""

    ATTRIBUTION = "keep the copyright notices and the licence text with every copy"
    NOTICE_FILE = "pass on the NOTICE file, if there is one"
    STATE_CHANGES = "say what you changed"
    ADVERTISING = "name the authors in advertising that mentions the software"
    RENAME = "give changed versions another name"
    FILE_SOURCE = "offer the source of the files under this licence, your changes included, under the same licence"
    WHOLE_SOURCE = "offer the complete source of the whole program under this licence"
    RELINK = "let users replace the library by a changed version of it"
    NETWORK_SOURCE = "offer the complete source to everybody who uses the program over a network"
    PATENT = "patent rights end for those who sue over patents"
    LIMITED_USE = "keep to the uses that the licence allows"


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence, or one licence with an exception, as the rules see it.

    Attributes:
        id: SPDX identifier, with "WITH exception" where there is one.
        category: how far its conditions reach.
        obligations: what it asks of those who hand copies to others.
        gpl: the versions of the GPL under which a combined program may be published together with this code.
        gpl_conflict: why the missing versions of the GPL do not fit.
        linkable: its conditions stop at the border of an unchanged library (copyleft by an exception or by nature).
    """

    id: str
    category: Category
    obligations: tuple[Obligation, ...] = ()
    gpl: frozenset[Gpl] = frozenset({2, 3})
    gpl_conflict: str = ""
    linkable: bool = False


def worst(*verdicts: Verdict) -> Verdict:
    """The strictest of several verdicts; "compatible" of none."""
    return max(verdicts, key=STRICTNESS.index, default="compatible")
