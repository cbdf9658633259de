"""The licences we know, by SPDX identifier: about sixty, which cover nearly all packages of the big registries.

Every line is our own reading of the licence text. What is not here is unknown, and unknown is never a pass.
"""

from typing import Final

from libraries_io_mcp.licences.terms import Category, Gpl, Licence, Obligation

_O = Obligation
_NOTICE: Final = (_O.ATTRIBUTION,)
_APACHE: Final = (_O.ATTRIBUTION, _O.NOTICE_FILE, _O.STATE_CHANGES, _O.PATENT)
_FILES: Final = (_O.ATTRIBUTION, _O.FILE_SOURCE, _O.PATENT)
_LESSER: Final = (_O.ATTRIBUTION, _O.STATE_CHANGES, _O.FILE_SOURCE, _O.RELINK)
_GENERAL: Final = (_O.ATTRIBUTION, _O.STATE_CHANGES, _O.WHOLE_SOURCE)
_NETWORK: Final = (*_GENERAL, _O.NETWORK_SOURCE, _O.PATENT)
_BOTH: Final[frozenset[Gpl]] = frozenset({2, 3})
_ONLY_2: Final[frozenset[Gpl]] = frozenset({2})
_ONLY_3: Final[frozenset[Gpl]] = frozenset({3})
_NONE: Final[frozenset[Gpl]] = frozenset()

_WHY_APACHE: Final = "its patent clause is a further restriction that GPL-2.0 does not allow; GPL-3.0 does"
_WHY_V3: Final = "it may be combined under GPL version 3 terms only"
_WHY_V2: Final = "it may be combined under GPL version 2 terms only"
_WHY_ADVERTISING: Final = "its advertising clause is a further restriction that no GPL allows"
_WHY_OWN: Final = "it wants its own terms for the code, and the GPL wants the GPL for the whole"
_WHY_LIMITS: Final = "it limits use, which no GPL allows"


def _public(*ids: str) -> list[Licence]:
    return [Licence(id_, Category.PUBLIC_DOMAIN, linkable=True) for id_ in ids]


def _permissive(
    *ids: str, asks: tuple[Obligation, ...] = _NOTICE, gpl: frozenset[Gpl] = _BOTH, why: str = ""
) -> list[Licence]:
    return [Licence(id_, Category.PERMISSIVE, asks, gpl, why, linkable=True) for id_ in ids]


def _weak(*ids: str, asks: tuple[Obligation, ...] = _FILES, gpl: frozenset[Gpl], why: str = "") -> list[Licence]:
    return [Licence(id_, Category.WEAK_COPYLEFT, asks, gpl, why, linkable=True) for id_ in ids]


def _strong(*ids: str, gpl: frozenset[Gpl], why: str = "") -> list[Licence]:
    return [Licence(id_, Category.STRONG_COPYLEFT, _GENERAL, gpl, why) for id_ in ids]


def _network(*ids: str, gpl: frozenset[Gpl], why: str = "") -> list[Licence]:
    return [Licence(id_, Category.NETWORK_COPYLEFT, _NETWORK, gpl, why) for id_ in ids]


def _limited(*ids: str) -> list[Licence]:
    asks = (_O.ATTRIBUTION, _O.LIMITED_USE)
    return [Licence(id_, Category.SOURCE_AVAILABLE, asks, _NONE, _WHY_LIMITS) for id_ in ids]


_LICENCES: Final = (
    *_public("0BSD", "CC0-1.0", "MIT-0", "Unlicense", "WTFPL", "blessing", "LicenseRef-Public-Domain"),
    *_permissive(
        "MIT", "ISC", "BSD-1-Clause", "BSD-2-Clause", "BSD-2-Clause-Patent", "BSD-3-Clause", "BSD-3-Clause-Clear",
        "BSL-1.0", "Zlib", "libpng-2.0", "X11", "NCSA", "PostgreSQL", "HPND", "curl", "ICU", "Unicode-3.0",
        "Unicode-DFS-2016", "BlueOak-1.0.0", "PSF-2.0", "Python-2.0", "W3C", "IJG", "Ruby",
        "MIT-CMU", "TCL", "CC-BY-4.0", "UPL-1.0", "Artistic-2.0", "ZPL-2.0", "ZPL-2.1",
    ),
    *_permissive("Apache-2.0", asks=_APACHE, gpl=_ONLY_3, why=_WHY_APACHE),
    *_permissive("ECL-2.0", "MulanPSL-2.0", asks=_APACHE, gpl=_ONLY_3, why=_WHY_APACHE),
    *_permissive("FTL", gpl=_ONLY_3, why="its credit clause fits version 3 of the GPL only"),
    *_permissive("CNRI-Python", gpl=_NONE, why="its choice of law is a further restriction that no GPL allows"),
    *_permissive("Apache-1.1", "PHP-3.01", "ZPL-1.1", asks=(*_NOTICE, _O.RENAME), gpl=_NONE, why=_WHY_OWN),
    *_permissive("BSD-4-Clause", "OpenSSL", asks=(*_NOTICE, _O.ADVERTISING), gpl=_NONE, why=_WHY_ADVERTISING),
    *_permissive("AFL-2.1", "AFL-3.0", asks=(*_NOTICE, _O.STATE_CHANGES, _O.PATENT), gpl=_NONE, why=_WHY_OWN),
    *_permissive("CC-BY-3.0", "MS-PL", "Artistic-1.0", "Artistic-1.0-Perl", gpl=_NONE, why=_WHY_OWN),
    *_permissive("JSON", asks=(*_NOTICE, _O.LIMITED_USE), gpl=_NONE, why=_WHY_LIMITS),
    *_weak("LGPL-2.0-only", "LGPL-2.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later", asks=_LESSER, gpl=_BOTH),
    *_weak("LGPL-3.0-only", "LGPL-3.0-or-later", asks=_LESSER, gpl=_ONLY_3, why=_WHY_V3),
    *_weak("MPL-2.0", gpl=_BOTH),
    *_weak("OFL-1.1", asks=(*_NOTICE, _O.RENAME), gpl=_BOTH),
    *_weak("MPL-2.0-no-copyleft-exception", "MPL-1.0", "MPL-1.1", "EPL-1.0", gpl=_NONE, why=_WHY_OWN),
    *_weak("EPL-2.0", gpl=_NONE, why="it fits the GPL only where its authors name the GPL as a secondary licence"),
    *_weak("CDDL-1.0", "CDDL-1.1", "CPL-1.0", "IPL-1.0", "MS-RL", "SPL-1.0", gpl=_NONE, why=_WHY_OWN),
    *_strong("GPL-1.0-or-later", "GPL-2.0-or-later", gpl=_BOTH),
    *_strong("GPL-2.0-only", gpl=_ONLY_2, why=_WHY_V2),
    *_strong("GPL-3.0-only", "GPL-3.0-or-later", gpl=_ONLY_3, why=_WHY_V3),
    *_strong("CECILL-2.1", "CECILL-2.0", gpl=_BOTH),
    *_strong("CC-BY-SA-4.0", gpl=_ONLY_3, why="its terms allow a change to GPL-3.0, and to no other GPL"),
    *_network("AGPL-3.0-only", "AGPL-3.0-or-later", gpl=_ONLY_3, why=_WHY_V3),
    *_network("EUPL-1.2", gpl=_BOTH),
    *_network("EUPL-1.1", gpl=_ONLY_2, why="its list of compatible licences names GPL version 2 only"),
    *_network("OSL-3.0", "RPL-1.5", "CPAL-1.0", gpl=_NONE, why=_WHY_OWN),
    *_limited(
        "SSPL-1.0", "BUSL-1.1", "Elastic-2.0", "PolyForm-Noncommercial-1.0.0", "PolyForm-Small-Business-1.0.0",
        "PolyForm-Shield-1.0.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "LicenseRef-Commons-Clause",
        "LicenseRef-FSL",
    ),
    Licence("LicenseRef-Proprietary", Category.PROPRIETARY, (_O.LIMITED_USE,), _NONE, _WHY_LIMITS),
)  # fmt: skip
CATALOGUE: Final = {licence.id: licence for licence in _LICENCES}
