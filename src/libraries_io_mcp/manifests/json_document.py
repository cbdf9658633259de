"""JSON text to its top-level object, or a clear error."""

import json
from typing import Any

from libraries_io_mcp.manifests.faults import ManifestError


def json_table(text: str) -> dict[str, Any]:
    """The object that the text holds.

    Raises:
        ManifestError: not JSON, nested too deep, a number of thousands of digits, or no object.
    """
    try:
        document = json.loads(text)
    except RecursionError:
        raise ManifestError("The manifest is nested too deep to be read.") from None
    except json.JSONDecodeError as error:
        raise ManifestError(f"The manifest is not valid JSON: {error.msg} (line {error.lineno}).") from None
    except ValueError:
        raise ManifestError("The manifest is not valid JSON: a number has too many digits.") from None
    if not isinstance(document, dict):
        raise ManifestError("The manifest is JSON, but not an object.")
    return document
