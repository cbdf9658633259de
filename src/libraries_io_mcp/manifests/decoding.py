"""Bytes or text to clean text: size limit, BOM, UTF-16, line ends, NUL."""

import codecs
from typing import Final

from libraries_io_mcp.manifests.faults import ManifestError

MAX_BYTES: Final = 10 * 1024 * 1024
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the one of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(raw: str | bytes, max_bytes: int = MAX_BYTES) -> str:
    r"""The text with `\n` line ends and without a BOM.

    Raises:
        ManifestError: larger than `max_bytes` (measured as UTF-8 for text), neither UTF-8 nor UTF-16, or with NUL.
    """
    _check_size(len(raw), max_bytes)
    text = _from_bytes(raw) if isinstance(raw, bytes) else _from_text(raw, max_bytes)
    if "\x00" in text:
        raise ManifestError("The manifest holds NUL characters; it is not a text file.")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ManifestError(f"The manifest is larger than {max_bytes} bytes; send a smaller one.")


def _from_text(text: str, max_bytes: int) -> str:
    try:
        _check_size(len(text.encode()), max_bytes)
    except UnicodeEncodeError:
        raise ManifestError("The manifest holds characters that are no valid Unicode.") from None
    return text.removeprefix("\ufeff")


def _from_bytes(raw: bytes) -> str:
    mark, encoding = next(((bom, name) for bom, name in _BOMS if raw.startswith(bom)), (b"", _guess(raw)))
    try:
        return raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise ManifestError(
            f"The manifest is not valid {encoding.upper()} (at byte {error.start}); save it as UTF-8."
        ) from None


def _guess(raw: bytes) -> str:
    """UTF-16 without a mark shows in its first letters: manifests begin with ASCII."""
    if len(raw) >= 4 and raw[0] and not raw[1] and raw[2] and not raw[3]:
        return "utf-16-le"
    if len(raw) >= 4 and not raw[0] and raw[1] and not raw[2] and raw[3]:
        return "utf-16-be"
    return "utf-8"
