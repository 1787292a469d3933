"""Reads the CSV files of this folder; knows nothing of what they mean."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent


def rows(name: str) -> list[list[str]]:
    """Return the rows of `<name>.csv` below its header."""
    with (_FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))[1:]
