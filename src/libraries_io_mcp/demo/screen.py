"""Where the demo prints: the terminal, and beside it a recorder when a picture is wanted."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console, RenderableType
from rich.rule import Rule
from rich.terminal_theme import TerminalTheme
from rich.text import Text

NARROWEST: Final = 80
WIDEST: Final = 120
WITHOUT_TERMINAL: Final = 100
PICTURE_WIDTH: Final = 108

COLOURS: Final = ["22272e", "ff7b72", "56d364", "e3b341", "79c0ff", "d2a8ff", "56d4dd", "c8d0da"]
THEME: Final = TerminalTheme(
    (22, 27, 34),
    (214, 221, 230),
    [tuple(bytes.fromhex(colour)) for colour in COLOURS],  # type: ignore[misc]
)
"""Background, foreground and the eight colours of the picture."""

SVG_FORMAT: Final = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{
        font-family: ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", Menlo, Consolas, monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
    }}
    .{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""
"""rich's own format without its font from a server elsewhere."""


class Screen:
    """Prints on the terminal and, for `picture`, on a recorder of fixed width."""

    def __init__(self, *, picture: bool) -> None:
        # A terminal that can't show a character gets a question mark, not a traceback.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        self._terminal = Console(highlight=False)
        self._terminal.width = _width(self._terminal)
        self._consoles = [self._terminal]
        if picture:
            recorder = Console(
                record=True,
                width=PICTURE_WIDTH,
                file=io.StringIO(),
                force_terminal=True,
                color_system="truecolor",
                no_color=False,
                highlight=False,
            )
            self._consoles.append(recorder)

    def show(self, *renderables: RenderableType) -> None:
        """Print, one below the other."""
        for console in self._consoles:
            for renderable in renderables:
                console.print(renderable)

    def section(self, title: str) -> None:
        """A heading."""
        self.show("", Rule(Text(title, "bold"), align="left", style="dim", characters="─"))

    @contextmanager
    def busy(self, doing: str, *, line: bool = True) -> Iterator[None]:
        """Say what is going on: while it does on a terminal, as a line of its own elsewhere if `line`."""
        if self._terminal.is_terminal:
            with self._terminal.status(Text(doing, "dim")):
                yield
        else:
            if line:
                self._terminal.print(Text(f"... {doing}"))
            yield

    def save(self, path: Path, title: str) -> None:
        """Write the picture.

        Raises:
            OSError: the file can't be written.
        """
        picture = self._consoles[-1].export_svg(title=title, theme=THEME, code_format=SVG_FORMAT, unique_id="demo")
        path.write_text(picture, encoding="utf-8")


def _width(console: Console) -> int:
    return min(max(console.width, NARROWEST), WIDEST) if console.is_terminal else WITHOUT_TERMINAL
