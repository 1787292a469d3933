"""A reader for `bench_beside`: asks once a second until a file appears, and prints how long it took.

python -m benchmarks.reader STORE AREA DAY STOP
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Final

from projections.coverage import coverage_at
from projections.workspace import Workspace

EVERY_SECONDS: Final = 1.0


def main(store: str, area: str, day: str, stop: str) -> None:
    """Ask for the coverage of an area, each time as a new reader would; print the seconds as JSON."""
    took: list[float] = []
    while not Path(stop).exists():
        began = time.perf_counter()
        with Workspace(Path(store)) as workspace:
            workspace.ask(lambda ledger: coverage_at(ledger, [area], date.fromisoformat(day)))
        took.append(time.perf_counter() - began)
        time.sleep(max(0.0, EVERY_SECONDS - took[-1]))
    print(json.dumps(took))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main(*sys.argv[1:])
