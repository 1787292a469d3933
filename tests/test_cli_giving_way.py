"""A long import runs at a lower priority, so that those who ask beside it wait less; a short one not."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from cli.giving_way import LONG_BYTES, NICENESS
from tests.faults import make_store, start
from tests.office_files import write_large


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="this system knows no priorities")
@pytest.mark.parametrize(("lines", "is_long"), [(20_000, True), (100, False)])
def test_only_a_long_import_gives_way(tmp_path: Path, lines: int, is_long: bool) -> None:
    """Seen from outside, while it runs."""
    folder = tmp_path / "office"
    make_store(folder)
    file = folder / "batches.csv"
    write_large(file, lines, "two-lines")
    assert (file.stat().st_size >= LONG_BYTES) is is_long
    own = os.getpriority(os.PRIO_PROCESS, 0)

    importing = start("import", "batches", file, folder=folder)
    seen = {own}
    while importing.is_running():
        with suppress(ProcessLookupError):  # it has ended since
            seen.add(os.getpriority(os.PRIO_PROCESS, importing.process.pid))
    ended = importing.end()

    assert (ended.code, ended.acknowledged) == (0, True), ended.err
    assert seen - {own} == ({max(own, NICENESS)} - {own} if is_long else set())
