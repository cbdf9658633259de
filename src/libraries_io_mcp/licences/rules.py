"""What two licences mean for each other, and one for a use case. Pure rules; symmetric but for the project's own."""

from libraries_io_mcp.licences.terms import Category, Licence, Obligation, UseCase, Verdict

Judgement = tuple[Verdict, str]

_FREE = frozenset({Category.PUBLIC_DOMAIN, Category.PERMISSIVE})
_COPYLEFT = frozenset({Category.STRONG_COPYLEFT, Category.NETWORK_COPYLEFT})
_CLOSED = frozenset({Category.SOURCE_AVAILABLE, Category.PROPRIETARY})
_GNU = ("GPL-", "AGPL-")
_HANDED_OUT = frozenset({"link", "distribute"})


def alone(licence: Licence, use_case: UseCase) -> Judgement:
    """What a package under this licence means for the use case by itself."""
    if licence.category is Category.PROPRIETARY:
        return "incompatible", "all rights are reserved; any use needs an agreement with the owner"
    if licence.category is Category.SOURCE_AVAILABLE:
        return _limited(licence, use_case)
    if not obligations_for(licence, use_case):
        return "compatible", _nothing_asked(licence, use_case)
    return "compatible_with_obligations", _asked(licence, use_case)


def obligations_for(licence: Licence, use_case: UseCase) -> tuple[Obligation, ...]:
    """What the licence asks in this use case."""
    if use_case in _HANDED_OUT:
        return licence.obligations
    kept = {Obligation.LIMITED_USE, Obligation.PATENT}
    if use_case == "saas":
        kept |= {Obligation.NETWORK_SOURCE}
    if licence.category is Category.NETWORK_COPYLEFT and use_case == "internal":
        kept |= {Obligation.NETWORK_SOURCE}
    return tuple(one for one in licence.obligations if one in kept)


def pair(first: Licence, second: Licence, use_case: UseCase) -> Judgement:
    """Whether code under both may be parts of one program; the order of the two does not matter."""
    if first.id == second.id:
        return alone(first, use_case)
    pairs = sorted((first, second), key=lambda licence: licence.id)
    categories = {first.category, second.category}
    if categories & _CLOSED:
        return _with_closed(pairs, use_case)
    if not _reaches_both(pairs, use_case):
        return _side_by_side(pairs, use_case)
    return _under_copyleft(pairs, use_case)


def into_project(package: Licence, project: Licence, use_case: UseCase) -> Judgement:
    """Whether a package under the first licence may go into a project published under the second."""
    if project.category not in _CLOSED:
        return pair(package, project, use_case)
    if package.category in _CLOSED:
        return alone(package, use_case)
    if package.category in _COPYLEFT and _triggered(package, use_case) and not _exempt(package, use_case):
        return "incompatible", (
            f"{package.id} wants its own terms for the whole program, which {project.id} does not give"
        )
    return alone(package, use_case)


def _triggered(licence: Licence, use_case: UseCase) -> bool:
    """Whether copyleft takes hold: by handing out copies, or by use over a network where the licence says so."""
    is_network = licence.category is Category.NETWORK_COPYLEFT
    return use_case in _HANDED_OUT or (use_case == "saas" and is_network)


def _exempt(licence: Licence, use_case: UseCase) -> bool:
    return licence.linkable and use_case == "link"


def _reaches_both(licences: list[Licence], use_case: UseCase) -> bool:
    """Whether a strong copyleft of one of them takes hold of the program that holds both."""
    return any(
        licence.category in _COPYLEFT and _triggered(licence, use_case) and not _exempt(licence, use_case)
        for licence in licences
    )


def _side_by_side(licences: list[Licence], use_case: UseCase) -> Judgement:
    first, second = licences
    asks = obligations_for(first, use_case) or obligations_for(second, use_case)
    if asks and use_case not in _HANDED_OUT:
        return "compatible_with_obligations", (
            f"no copies are handed out, so {first.id} and {second.id} do not meet; what they still ask is listed"
        )
    if asks:
        return "compatible_with_obligations", (
            f"each of {first.id} and {second.id} keeps to its own part of the program; meet what each asks"
        )
    if use_case in _HANDED_OUT:
        return "compatible", f"neither {first.id} nor {second.id} asks for anything"
    return "compatible", f"no copies are handed out, so {first.id} and {second.id} ask for nothing here"


def _under_copyleft(licences: list[Licence], use_case: UseCase) -> Judgement:
    first, second = licences
    how = "used over a network" if use_case == "saas" else "handed out"
    common = sorted(first.gpl & second.gpl)
    is_gnu = first.id.startswith(_GNU) or second.id.startswith(_GNU)
    if not is_gnu and {first.category, second.category} & _FREE:
        return "compatible_with_obligations", (
            f"the program as a whole goes under {_strongest(licences)}; the permissive part adds its notices"
        )
    if common:
        return "compatible_with_obligations", (
            f"a program with {first.id} and {second.id} may be {how} under the terms of GPL version {common[-1]} "
            f"({_strongest(licences)} decides for the whole)"
        )
    if is_gnu:
        reasons = [f"{licence.id}: {licence.gpl_conflict}" for licence in licences if licence.gpl_conflict]
        return "incompatible", f"no GPL version fits both {first.id} and {second.id}; {'; '.join(reasons)}"
    return "unknown", f"{first.id} and {second.id} both want their own terms for the whole, and we know no rule"


def _strongest(licences: list[Licence]) -> str:
    ranked = sorted(licences, key=lambda licence: (licence.category is Category.NETWORK_COPYLEFT, licence.id))
    return next(licence.id for licence in reversed(ranked) if licence.category in _COPYLEFT)


def _with_closed(licences: list[Licence], use_case: UseCase) -> Judgement:
    closed = next(licence for licence in licences if licence.category in _CLOSED)
    other = licences[1] if licences[0] is closed else licences[0]
    if other.category in _COPYLEFT and _triggered(other, use_case) and not _exempt(other, use_case):
        return "incompatible", (
            f"{other.id} wants its own terms for the whole program, and {closed.id} limits what may be done with it"
        )
    if other.category in _CLOSED:
        return "unknown", f"whether {closed.id} and {other.id} allow each other stands in both texts or agreements"
    verdict, reason = alone(closed, use_case)
    return verdict, f"{other.id} does not stand in the way, but of {closed.id}: {reason}"


def _limited(licence: Licence, use_case: UseCase) -> Judgement:
    if use_case in _HANDED_OUT:
        return "incompatible", f"{licence.id} limits use; who gets your program would not be free to use it"
    if licence.id == "SSPL-1.0":
        if use_case == "internal":
            return "compatible_with_obligations", "use inside one organisation offers no service to others"
        return "incompatible", "SSPL-1.0 wants the source of the whole service, its tools included, under SSPL-1.0"
    if licence.id == "Elastic-2.0" and use_case == "internal":
        return "compatible_with_obligations", "Elastic-2.0 allows use inside one organisation"
    return "unknown", f"{licence.id} allows some uses only; whether yours is one of them stands in its text"


def _nothing_asked(licence: Licence, use_case: UseCase) -> str:
    if use_case in _HANDED_OUT:
        return f"{licence.id} asks for nothing"
    return f"no copies are handed out, which is where the conditions of {licence.id} begin"


def _asked(licence: Licence, use_case: UseCase) -> str:
    if licence.category in _COPYLEFT and use_case in _HANDED_OUT:
        return f"the whole program must be offered under {licence.id} (or terms that it accepts), with its source"
    if licence.category is Category.NETWORK_COPYLEFT:
        return f"{licence.id} reaches those who use the program over a network"
    if licence.category is Category.WEAK_COPYLEFT and use_case in _HANDED_OUT:
        return f"the code under {licence.id} stays under it, with its source; the rest of the program is yours"
    return f"{licence.id} allows the use to those who meet its conditions"
