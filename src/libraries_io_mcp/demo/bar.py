"""One line of a waterfall: a stretch of time within another, as wide as there is room."""

from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

LEAST: Final = 8
SOLID: Final = "━"
DOTTED: Final = "╌"


@dataclass(frozen=True, slots=True)
class Bar:
    """From `start` to `end`, both parts of the whole (0 to 1). Never shorter than one cell."""

    start: float
    end: float
    style: str
    dotted: bool = False

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """The cells."""
        width = options.max_width
        first = min(int(self.start * width), width - 1)
        length = max(round(self.end * width) - first, 1)
        yield Text(" " * first) + Text((DOTTED if self.dotted else SOLID) * length, self.style)

    def __rich_measure__(self, _console: Console, options: ConsoleOptions) -> Measurement:
        """At least `LEAST` cells, and all that is left."""
        return Measurement(LEAST, options.max_width)
