"""Manifests of projects: the text of one, in any of the supported formats, to the packages it declares."""

from libraries_io_mcp.manifests.faults import ManifestError
from libraries_io_mcp.manifests.manifest import Declared, DependencyKind, Manifest, Piece, Truncated
from libraries_io_mcp.manifests.reading import read_manifest, supported_formats

__all__ = [
    "Declared",
    "DependencyKind",
    "Manifest",
    "ManifestError",
    "Piece",
    "Truncated",
    "read_manifest",
    "supported_formats",
]
