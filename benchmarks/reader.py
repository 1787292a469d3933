"""A reader for `bench_beside`: asks once a second until a file appears, and prints how long it took.

Its first question, when it has only just started, is not counted; then a file says that it is ready.

python -m benchmarks.reader STORE AREA DAY READY STOP
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


def main(store: str, area: str, day: str, ready: str, stop: str) -> None:
    """Ask for the coverage of an area, each time as a new reader would; print the seconds as JSON."""

    def ask() -> float:
        began = time.perf_counter()
        with Workspace(Path(store)) as workspace:
            workspace.ask(lambda ledger: coverage_at(ledger, [area], date.fromisoformat(day)))
        return time.perf_counter() - began

    ask()
    Path(ready).touch()
    took = [ask()]
    while True:
        time.sleep(max(0.0, EVERY_SECONDS - took[-1]))
        if Path(stop).exists():
            break
        took.append(ask())
    print(json.dumps(took))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main(*sys.argv[1:])
