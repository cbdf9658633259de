"""XML text to a small tree with line numbers, or a clear error.

Made on the standard library's expat. A document type declaration is refused, and with it every entity, internal or
external: no bomb and no look at other files is left. Depth and number of elements are limited while reading.
"""

from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from libraries_io_mcp.manifests.faults import ManifestError

MAX_DEPTH: Final = 60
MAX_ELEMENTS: Final = 300_000


@dataclass(slots=True)
class Element:
    """One element: name without namespace prefix, attributes, own text, children, line (1-based)."""

    name: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, *path: str) -> list["Element"]:
        """The elements at the end of a path of names, in the order of the text."""
        found = [self]
        for name in path:
            found = [child for element in found for child in element.children if child.name == name]
        return found

    def first(self, *path: str) -> "Element | None":
        """The first element at the end of a path."""
        return next(iter(self.all(*path)), None)

    def value(self, *path: str) -> str | None:
        """The trimmed text at the end of a path; `None` if it is missing or empty."""
        element = self.first(*path)
        return (element.text.strip() or None) if element else None


def xml_root(text: str) -> Element:
    """The root element.

    Raises:
        ManifestError: not XML, with a document type declaration, nested too deep, or of too many elements.
    """
    tree = _Tree()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = tree.refuse_doctype
    parser.StartElementHandler = lambda name, attributes: tree.start(name, attributes, parser.CurrentLineNumber)
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.characters
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise ManifestError(f"The manifest is not valid XML: {what} (line {error.lineno}).") from None
    if tree.root is None:
        raise ManifestError("The manifest is not valid XML: it has no element.")
    return tree.root


class _Tree:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._elements = 0

    def refuse_doctype(self, *_: object) -> None:
        raise ManifestError("The manifest has a document type declaration (DOCTYPE); it is refused. Remove it.")

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise ManifestError(f"The manifest has more than {MAX_ELEMENTS} elements; send a smaller one.")
        if len(self._open) >= MAX_DEPTH:
            raise ManifestError("The manifest is nested too deep to be read.")
        element = Element(name.rpartition(":")[2], line, dict(attributes))
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def characters(self, data: str) -> None:
        # Text between child elements is only layout; text in pieces (a comment in between) is joined up to a bound.
        if len(self._open[-1].text) < 4_096:
            self._open[-1].text += data[:4_096]
