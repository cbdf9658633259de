"""Names of licences as people write them, to SPDX identifiers. Every reading that is not certain says so."""

import re
from dataclasses import dataclass
from typing import Final

CERTAIN: Final = ""
_NO_VERSION: Final = "no version is named"


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a text means.

    Attributes:
        spdx: an SPDX identifier or expression; `None` if the text names no licence that could be judged.
        note: what was assumed, or why nothing could be read; empty for a plain translation.
    """

    spdx: str | None
    note: str = CERTAIN


def _plain(spdx: str, *names: str) -> dict[str, Spelling]:
    return dict.fromkeys(names, Spelling(spdx))


def _assumed(spdx: str, note: str, *names: str) -> dict[str, Spelling]:
    return dict.fromkeys(names, Spelling(spdx, note))


def _nothing(note: str, *names: str) -> dict[str, Spelling]:
    return dict.fromkeys(names, Spelling(None, note))


# Keys are normalised: lower case, single blanks, without "the", "license", "version", commas and brackets.
_NAMES: Final = {
    **_plain("MIT", "mit", "expat", "mit expat", "mit/expat", "mit x11", "x11 mit", "mit/x11", "osi approved :: mit"),
    **_plain("Apache-2.0", "apache 2", "apache 2.0", "apache2", "apache2.0", "apache-2", "apache v2", "apache v2.0",
             "apache software 2", "apache software 2.0", "apache software foundation 2.0", "asl 2", "asl 2.0",
             "al 2.0", "apache-v2", "apache 2.0."),
    **_assumed("Apache-2.0", f"{_NO_VERSION}; 2.0 is in use since 2004",
               "apache", "apache software", "asl", "osi approved :: apache software"),
    **_plain("BSD-3-Clause", "bsd 3-clause", "3-clause bsd", "bsd 3 clause", "bsd-3", "bsd3", "new bsd", "new-bsd",
             "modified bsd", "revised bsd", "bsd new", "bsd 3-clause new or revised", "bsd 3-clause new"),
    **_plain("BSD-2-Clause", "bsd 2-clause", "2-clause bsd", "bsd 2 clause", "bsd-2", "bsd2", "simplified bsd",
             "freebsd", "bsd 2-clause simplified"),
    **_assumed("BSD-3-Clause", "the text does not say which BSD licence; the one of three clauses is the most usual",
               "bsd", "bsd style", "bsd-style", "bsd-like", "bsd like", "osi approved :: bsd"),
    **_plain("BSD-4-Clause", "original bsd", "bsd 4-clause", "4-clause bsd"),
    **_plain("ISC", "isc", "iscl", "isc iscl"),
    **_plain("MPL-2.0", "mpl 2", "mpl 2.0", "mpl2", "mpl-2", "mplv2", "mplv2.0", "mozilla public 2.0",
             "mozilla public 2.0 mpl 2.0", "osi approved :: mozilla public 2.0 mpl 2.0"),
    **_plain("MPL-1.1", "mpl 1.1", "mozilla public 1.1"),
    **_plain("EPL-1.0", "eclipse public 1.0", "epl 1.0", "eclipse public - v 1.0", "eclipse public v1.0"),
    **_plain("EPL-2.0", "eclipse public 2.0", "epl 2.0", "eclipse public - v 2.0", "eclipse public v2.0"),
    **_plain("CDDL-1.0", "cddl 1.0", "cddl 1"),
    **_plain("CDDL-1.1", "cddl 1.1"),
    **_plain("BSL-1.0", "boost", "boost software", "boost software 1.0", "bsl 1.0"),
    **_plain("Unlicense", "unlicense", "unlicensed public domain"),
    **_plain("CC0-1.0", "cc0", "cc0 1.0", "cc0 1.0 universal", "cc 0", "creative commons zero"),
    **_plain("WTFPL", "wtfpl 2", "do what the fuck you want to public", "do what f*ck you want to public"),
    **_plain("Zlib", "zlib", "zlib/libpng", "zlib libpng"),
    **_plain("PSF-2.0", "psf", "python software foundation", "psfl", "osi approved :: python software foundation"),
    **_plain("Artistic-2.0", "artistic 2.0", "artistic 2"),
    **_plain("Artistic-1.0-Perl OR GPL-1.0-or-later", "perl", "perl 5", "perl_5", "same as perl"),
    **_plain("Ruby", "ruby", "ruby's"),
    **_plain("BUSL-1.1", "business source 1.1", "busl 1.1", "busl"),
    **_plain("SSPL-1.0", "sspl", "server side public", "server side public 1.0"),
    **_plain("Elastic-2.0", "elastic 2.0", "elv2", "elastic 2"),
    **_assumed("LicenseRef-Public-Domain", "a dedication to the public domain; its wording was not seen",
               "public domain", "public-domain", "publicdomain", "pd"),
    **_assumed("LicenseRef-Proprietary", "all rights reserved: nobody else has permission without an agreement",
               "unlicensed", "proprietary", "commercial", "all rights reserved", "closed source",
               "other/proprietary", "private"),
    **_nothing(_NO_VERSION, "mpl", "mozilla public", "epl", "eclipse public", "cddl", "artistic", "cc-by",
               "creative commons", "cc by-sa", "eupl"),
    **_nothing("no licence is named; without one, nobody has permission by default", "", "none", "no", "null", "n/a"),
    **_nothing("the package says that its licence is not known", "noassertion", "unknown", "unspecified", "undefined"),
    **_nothing("a licence outside the usual lists; read its text", "other", "custom", "non-standard", "nonstandard",
               "dual", "multiple", "various", "freeware", "free", "open source", "osi approved", "see file"),
}  # fmt: skip
_GNU: Final = re.compile(
    r"^(?:gnu )?(?P<family>agpl|lgpl|gpl|affero general public|affero gpl|lesser general public"
    r"|library or lesser general public|library general public|general public)"
    r"(?: (?:agpl|lgpl|gpl))?[ -]?v?\.?(?P<number>[123](?:\.[01])?)?(?P<later>\+| or later| or newer| or any later"
    r"|-or-later| and later)?(?P<only>[ -]only)?(?: (?:agpl|lgpl|gpl)v?[0-9.]*\+?)?$"
)
_NOISE: Final = re.compile(r"\b(?:the|licen[cs]e|licen[cs]ing|version|lizenz)\b|[,()\"]")
LONGEST_NAME: Final = 12
"""Words."""
_BETWEEN_NAMES: Final = re.compile(r"[,;/|&()]|\b(?:AND|OR|WITH)\b")
_WORDING: Final = re.compile(
    r"is hereby granted|permission to use, copy|redistributions? (?:and use |of source |in binary )"
    r"|copyright (?:\(c\)|©|\d{4})|provided .?as.is|without warrant|you may not use this",
    re.IGNORECASE,
)
_BLANKS: Final = re.compile(r"\s+")


def spelled(text: str) -> Spelling | None:
    """The meaning of one name; `None` if it is none that we know. Case, "the", "License" and commas do not count."""
    lowered = text.strip().lower()
    if lowered.startswith(("see license", "see licence", "license in ", "file:", "see the license")):
        return Spelling(None, "it points to a text in the package; read that text")
    if lowered.startswith(("http://", "https://")):
        return Spelling(None, "it points to a text on the web; read that text")
    if _is_prose(text):
        return Spelling(None, "this is wording from a licence, not its name; several licences may share it")
    short = _BLANKS.sub(" ", _NOISE.sub(" ", lowered.removeprefix("license ::"))).strip(" .-:")
    return _NAMES.get(lowered) or _NAMES.get(short) or _gnu(short)


def _is_prose(text: str) -> bool:
    """Whether it is a piece of a licence's own text: such is split at commas and words into names that nobody has."""
    if _WORDING.search(text):
        return True
    return any(len(piece.split()) > LONGEST_NAME for piece in _BETWEEN_NAMES.split(text))


def _gnu(short: str) -> Spelling | None:
    """GPLv3+, GNU LGPL 2.1 or later, Affero GPL 3 and their relatives."""
    match = _GNU.match(short)
    if not match:
        return None
    family = match.group("family")
    letters = "AGPL" if family[0] == "a" else "LGPL" if family.startswith(("lg", "les", "lib")) else "GPL"
    number = match.group("number")
    if number is None:
        return Spelling(None, _NO_VERSION)
    number = number if "." in number else f"{number}.{'1' if (letters, number) == ('LGPL', '2') else '0'}"
    if match.group("later"):
        return Spelling(f"{letters}-{number}-or-later")
    note = CERTAIN if match.group("only") else 'read as "only": the text does not say "or later"'
    return Spelling(f"{letters}-{number}-only", note)
