"""Licence exceptions (the part after WITH) that we know, and what each does to its licence."""

from dataclasses import replace
from typing import Final

from libraries_io_mcp.licences.terms import Category, Licence, Obligation

_LINKING: Final = frozenset(
    {
        "Classpath-exception-2.0", "Classpath-exception-2.0-short", "GCC-exception-2.0", "GCC-exception-3.1",
        "OCaml-LGPL-linking-exception", "LGPL-3.0-linking-exception", "WxWindows-exception-3.1",
        "eCos-exception-2.0", "OpenJDK-assembly-exception-1.0", "Qt-LGPL-exception-1.1",
        "GPL-3.0-linking-exception", "FLTK-exception", "freertos-exception-2.0", "Nokia-Qt-exception-1.1",
    }
)  # fmt: skip
"""Programs that only link to the unchanged library keep their own terms."""
_OUTPUT: Final = frozenset(
    {
        "Autoconf-exception-2.0", "Autoconf-exception-3.0", "Bison-exception-2.2", "Bison-exception-1.24",
        "Font-exception-2.0", "Libtool-exception", "Linux-syscall-note", "u-boot-exception-2.0",
    }
)  # fmt: skip
"""What the tool puts out, embeds or calls is free; the tool itself stays under its licence."""
_GPL_2_TOO: Final = frozenset({"LLVM-exception"})
"""Drops the clauses of Apache-2.0 that GPL-2.0 does not allow."""
_MORE_FREEDOM: Final = frozenset(
    {
        "Swift-exception", "Universal-FOSS-exception-1.0", "openvpn-openssl-exception", "cryptsetup-OpenSSL-exception",
        "vsftpd-openssl-exception", "GPL-CC-1.0", "KiCad-libraries-exception",
    }
)  # fmt: skip
"""More permissions for special cases that no rule here needs: the licence is judged as if it stood alone."""


def with_exception(licence: Licence, exception: str) -> Licence | None:
    """The licence as the exception leaves it; `None` for an exception that we do not know."""
    name = f"{licence.id} WITH {exception}"
    if exception in _LINKING:
        asks = tuple(one for one in licence.obligations if one is not Obligation.WHOLE_SOURCE)
        asks += (Obligation.FILE_SOURCE,) if Obligation.FILE_SOURCE not in asks else ()
        is_copyleft = licence.category in {Category.WEAK_COPYLEFT, Category.STRONG_COPYLEFT}
        category = Category.WEAK_COPYLEFT if is_copyleft else licence.category
        return replace(licence, id=name, category=category, obligations=asks, linkable=True)
    if exception in _GPL_2_TOO:
        return replace(licence, id=name, gpl=licence.gpl | {2} if licence.id == "Apache-2.0" else licence.gpl)
    return replace(licence, id=name) if exception in _OUTPUT | _MORE_FREEDOM else None
