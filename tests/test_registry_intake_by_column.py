"""Usual rows are read by column, and batches weighed many at once: with what comes of each row alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import ImportRefusedError
from registry.intake import first_pass
from registry.intake.admission import AdmissionOptions, admit
from registry.intake.columns import InputKind
from registry.intake.first_pass import FirstPass
from registry.intake.row_spool import RowSpool
from registry.intake.spool import spool_input
from registry.reference.categories import Categories

_BATCH: Final = {
    "reference": ["SK-1", "SK-2", "sk-1", "SK 1", "SK-3", "400", "contoh-1", "1606011212900001", "",
                  "SK\n1", "x]],[[y"],
    "part": ["", "a", "A", " "],
    "action": ["enrol", "opening", "balance-in", "deactivate", "renew", "reclassify", "withdraw",
               "correct", "balance-out", "?"],
    "area": ["16.06", "Musi Banyuasin", "16.71", "16"],
    "category": ["guru", "bpd", "Guru", "", "nobody"],
    "from_category": ["", "bpd", "guru"],
    "workers": ["1", "1.000", "0", ""],
    "effective_on": ["2025-01-01", "1 Juli 2025", "2025-13-01", ""],
    "covered_until": ["", "2025-12-31", "2024-12-31"],
    "of_batch": ["", "SK-1", "SK-9"],
    "reason": ["", "resigned", "other"],
    "proposed": ["", "1", "5"],
    "note": ["", "x", "\u202e", "]],[[", "]],[[]],[["],
}  # fmt: skip
_VARIED: Final = {
    "reference": ["SK/1", "SK/2", "sk/1"], "category": ["guru", "bpd"], "workers": ["1", "1.000", "7"]
}  # fmt: skip
_POTENTIAL: Final = {
    "area": ["16.06", "16.71", "Kota Palembang", "99.99"],
    "valid_from": ["2025-01-01", "2025-02-01", "soon"],
    "workers": ["1.000", "1", "-1"],
    "definition": ["a", "b", ""],
    "source": ["BPS", "contoh-1"],
}


def _rows(cells: dict[str, list[str]]) -> st.SearchStrategy[list[dict[str, str]]]:
    """Rows of few batches, of all sizes; each usual (the first cell of a column) but for two cells at most."""
    usual = {name: said[0] for name, said in cells.items()}
    names = st.sampled_from([*cells])
    odd = st.lists(names, max_size=2, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries(
            {name: st.sampled_from(cells[name]) for name in chosen}
        )
    )
    varied = {name: st.sampled_from(said) for name, said in _VARIED.items() if name in cells}
    row = st.tuples(st.fixed_dictionaries(varied), odd).map(lambda both: usual | both[0] | both[1])
    rows = st.lists(row, max_size=8)
    return rows | rows.map(lambda each: sorted(each, key=lambda row: next(iter(row.values()))))


@contextmanager
def _one_by_one() -> Iterator[None]:
    """Read each row by itself, and each batch."""
    with (
        mock.patch.object(FirstPass, "_by_column", return_value=None),
        mock.patch.object(RowSpool, "pages", return_value=None),
    ):
        yield


def _admitted(kind: InputKind, rows: list[dict[str, str]], names: list[str]) -> dict[str, Any]:
    """Return all that comes of a file."""
    stream = io.StringIO()
    csv.DictWriter(stream, names).writeheader()
    csv.DictWriter(stream, names).writerows(rows)
    with (
        spool_input(io.BytesIO(stream.getvalue().encode()), name="berkas.csv") as spooled,
        admit(spooled, AdmissionOptions(kind), Categories()) as admission,
    ):
        try:
            commands = [*admission.commands()]
            looked_up = [admission.commands()[number] for number in range(len(commands))]
            assert looked_up == commands
        except ImportRefusedError:
            commands = []
        return {
            "report": admission.report.as_json(),
            "digest": admission.digest,
            "commands": commands,
            "refused": [*admission._rows.refusals(0)],
        }


@settings(max_examples=300)
@given(rows=_rows(_BATCH), page=st.sampled_from([1, 2, 3, 1_000]))
def test_batches_are_admitted_as_row_by_row(rows: list[dict[str, str]], page: int) -> None:
    """Report, plan, commands and why rows are refused, however the rows fall into pages."""
    with mock.patch.object(first_pass, "PAGE_ROWS", page):
        found = _admitted("batches", rows, [*_BATCH])
    with _one_by_one():
        assert found == _admitted("batches", rows, [*_BATCH])


@settings(max_examples=100)
@given(rows=_rows(_POTENTIAL), page=st.sampled_from([1, 2, 1_000]))
def test_potentials_are_admitted_as_row_by_row(rows: list[dict[str, str]], page: int) -> None:
    """The same of what has no form by column of its own."""
    with mock.patch.object(first_pass, "PAGE_ROWS", page):
        found = _admitted("potentials", rows, [*_POTENTIAL])
    with _one_by_one():
        assert found == _admitted("potentials", rows, [*_POTENTIAL])


def test_a_usual_page_is_read_by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: else nothing above compares anything, and a million rows take twice as long."""
    monkeypatch.setattr(FirstPass, "_read_by_row", None)
    usual = {name: said[0] for name, said in _BATCH.items()}
    rows = [{**usual, "reference": f"SK/{number}"} for number in range(3)]
    assert len(_admitted("batches", rows, [*_BATCH])["commands"]) == len(rows)
    with pytest.raises(TypeError):
        _admitted("batches", [{**usual, "workers": "0"}], [*_BATCH])
