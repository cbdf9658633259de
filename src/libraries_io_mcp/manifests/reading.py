"""The way in: text and perhaps a file name to a `Manifest`."""

from typing import TYPE_CHECKING, Final

from libraries_io_mcp.manifests.collector import Collector
from libraries_io_mcp.manifests.decoding import MAX_BYTES, decode
from libraries_io_mcp.manifests.faults import ManifestError
from libraries_io_mcp.manifests.manifest import Manifest

if TYPE_CHECKING:
    from libraries_io_mcp.manifests.formats import Format

MAX_PACKAGES: Final = 10_000


def read_manifest(
    text: str | bytes,
    filename: str | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    max_packages: int = MAX_PACKAGES,
) -> Manifest:
    """What one manifest declares. Pure: opens no file, asks no network.

    Args:
        text: the content; bytes may be UTF-8 or UTF-16, with or without a BOM.
        filename: its name or path; the name alone decides the format where it is known, else the content does.
        max_bytes: the largest content, in bytes of UTF-8 (of the encoding itself for bytes).
        max_packages: how many packages are kept; the rest is counted in `truncated`.

    Raises:
        ManifestError: no known format, broken, or beyond a limit.
    """
    content = decode(text, max_bytes)
    name = (filename or "").replace("\\", "/").rpartition("/")[2].strip().lower()
    found = Collector(filename=name, max_packages=max_packages)
    format_ = _format(content, filename)
    format_.read(content, found)
    return found.manifest(format_.kind)


def supported_formats() -> tuple[str, ...]:
    """The names of the formats, as `Manifest.kind` says them."""
    from libraries_io_mcp.manifests.formats import SUPPORTED  # noqa: PLC0415  start-up time: 30 ms of patterns

    return SUPPORTED


def _format(content: str, filename: str | None) -> "Format":
    from libraries_io_mcp.manifests.formats import (  # noqa: PLC0415  start-up time, as above
        format_named,
        format_recognised,
    )

    format_ = (format_named(filename) if filename else None) or format_recognised(content)
    if format_ is None:
        name = f" ({filename[:100]!r})" if filename else ""
        raise ManifestError(
            f"The format of this manifest{name} is not known.",
            next_step=f"Send one of these, with its file name: {', '.join(supported_formats())}.",
        )
    return format_
