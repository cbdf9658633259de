"""What the doctor found about one thing."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "broken", "skipped"]
"""`broken`: the server can't start or can't do its main job. `warning`: it works, with less than was asked for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's. Texts hold no secret once the redactor has seen them.

    Attributes:
        tried: what was done to find out.
        found: what came back.
        what_to_do: one sentence, `None` when nothing is to be done.
    """

    name: str
    state: State
    tried: str
    found: str
    what_to_do: str | None = None
