"""Writes grafana/dashboards/*.json from boards.py: `python -m grafana.build` in the checkout."""

import json
from pathlib import Path
from typing import Final

from grafana.boards import BOARDS

FOLDER: Final = Path(__file__).with_name("dashboards")


def texts() -> dict[str, str]:
    """File name -> content of each dashboard."""
    return {f"{name}.json": json.dumps(board.json(), indent=1) + "\n" for name, board in BOARDS.items()}


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
