"""The one error of this package: a text that can't be read as a manifest at all."""

from libraries_io_mcp.errors import InvalidRequestError


class ManifestError(InvalidRequestError):
    """The text is no manifest that we know, is broken, or is beyond a limit. One sentence says which."""

    default_next_step = "Send the unchanged text of one supported manifest, with its file name."
