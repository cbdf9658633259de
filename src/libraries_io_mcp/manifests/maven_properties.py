"""The `${...}` of a pom.xml: resolved from what the same file defines, with bounded work."""

import re
from typing import Final

from libraries_io_mcp.manifests.xml_document import Element

MAX_STEPS: Final = 20
MAX_VALUE: Final = 1_000
_PLACEHOLDER: Final = re.compile(r"\$\{([^${}]{1,200})\}")


class MavenProperties:
    """What a pom.xml defines: its properties, and the project's own and its parent's coordinates."""

    def __init__(self, project: Element) -> None:
        parents = project.all("parent")
        self._values = {
            child.name: child.text.strip() for block in project.all("properties") for child in block.children
        }
        for key in ("groupId", "artifactId", "version"):
            inherited = next((parent.value(key) for parent in parents), None)
            own = project.value(key) or (inherited if key != "artifactId" else None)
            self._define(key, own, "project.", "pom.", "")
            self._define(key, inherited, "project.parent.", "parent.")

    def resolve(self, text: str | None) -> str | None:
        """The text with every placeholder that is known replaced; unknown ones stay as they are."""
        for _ in range(MAX_STEPS):
            if text is None or "${" not in text or len(text) > MAX_VALUE:
                break
            replaced = _PLACEHOLDER.sub(self._value, text)
            if replaced == text:
                break
            text = replaced
        return text[:MAX_VALUE] if text else None

    def _value(self, match: re.Match[str]) -> str:
        return self._values.get(match.group(1), match.group())

    def _define(self, key: str, value: str | None, *prefixes: str) -> None:
        for prefix in prefixes if value else ():
            self._values.setdefault(f"{prefix}{key}", value or "")


def is_open(text: str | None) -> bool:
    """Whether a placeholder is left."""
    return text is not None and "${" in text
