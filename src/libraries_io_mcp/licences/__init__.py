"""Licences: what several licence texts mean together for one use case. Technical reading, not legal advice."""

from libraries_io_mcp.licences.compatibility import (
    NOT_LEGAL_ADVICE,
    Choice,
    Compatibility,
    LicenceFinding,
    PairFinding,
    check_own_licence,
    compatibility,
)
from libraries_io_mcp.licences.expression import Reading, is_known, read_licence
from libraries_io_mcp.licences.terms import UseCase, Verdict

__all__ = [
    "NOT_LEGAL_ADVICE",
    "Choice",
    "Compatibility",
    "LicenceFinding",
    "PairFinding",
    "Reading",
    "UseCase",
    "Verdict",
    "check_own_licence",
    "compatibility",
    "is_known",
    "read_licence",
]
