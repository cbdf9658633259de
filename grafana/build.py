"""Writes grafana/dashboards/*.json from boards/: `python -m grafana.build` in the checkout, `--check` only compares."""

import json
import sys
from pathlib import Path
from typing import Final

from grafana.boards import BOARDS

FOLDER: Final = Path(__file__).with_name("dashboards")


def texts() -> dict[str, str]:
    """File name -> content of each dashboard."""
    return {f"{name}.json": json.dumps(board.json(), indent=1) + "\n" for name, board in BOARDS.items()}


def outdated() -> list[str]:
    """Names of files that are not what would be written."""
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    return sorted(name for name, text in texts().items() if there.get(name) != text)


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        if names := outdated():
            sys.exit(f"grafana/dashboards: run `make docs`; not as generated: {', '.join(names)}")
    else:
        for name, text in texts().items():
            (FOLDER / name).write_text(text, encoding="utf-8")
