"""A long import runs at a lower priority, so that those who ask beside it wait less; a short one not."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from cli.giving_way import LONG_ROWS, NICENESS
from tests.faults import make_store, start
from tests.office_files import write_large

LOOKS_AGAIN_SECONDS: Final = 0.005


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="this system knows no priorities")
@pytest.mark.parametrize(("lines", "is_long"), [(20_000, True), (100, False)])
def test_only_a_long_import_gives_way(tmp_path: Path, lines: int, is_long: bool) -> None:
    """Seen from outside, while it runs."""
    folder = tmp_path / "office"
    make_store(folder)
    file = folder / "batches.csv"
    write_large(file, lines, "two-lines")
    assert (lines >= LONG_ROWS) is is_long
    own = os.getpriority(os.PRIO_PROCESS, 0)
    if own >= NICENESS:
        pytest.skip("these tests give way themselves: there is nothing to be seen")

    importing = start("import", "batches", file, folder=folder)
    seen = {own}
    while importing.is_running():
        with suppress(ProcessLookupError):  # it has ended since
            seen.add(os.getpriority(os.PRIO_PROCESS, importing.process.pid))
        time.sleep(LOOKS_AGAIN_SECONDS)
    ended = importing.end()

    assert (ended.code, ended.acknowledged) == (0, True), ended.err
    assert seen - {own} == ({NICENESS} if is_long else set())
