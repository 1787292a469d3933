"""cli.demonstration: the example shows the published figures, and they come out of the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

import cli.demonstration
from cli.demonstration import example_folder
from tests.program import EXAMPLE, head, ucj

FIGURES = (
    ("2024-12-31", "88,958", "41.65 %"),
    ("2025-07-16", "133,958", "62.72 %"),
    ("2025-07-31", "103,079", "48.26 %"),
)
BATCHES = (
    ("SALDO-AWAL-2024-12", "+88,958", "batches.csv:2"),
    ("PAKE-KELAMBU-2025", "+45,000", "batches.csv:3"),
    ("REKON-2025-07", "-30,879", "batches.csv:4"),
)


def test_the_demo_shows_figures_and_where_they_come_from(tmp_path: Path) -> None:
    """Each figure with its date; each batch with heads, file, row, instant and person."""
    answer = ucj("demo", folder=tmp_path)
    assert answer.code == 0, answer
    for figure in FIGURES:
        assert any(all(part in line for part in figure) for line in answer.lines), figure
    for batch in BATCHES:
        found = [line for line in answer.lines if batch[0] in line and batch[2] in line]
        assert len(found) == 1, batch
        assert batch[1] in found[0]
        assert found[0].endswith("Z  siti")
    assert [line for line in answer.lines if line.startswith("$ ucj import")] == [
        f"$ ucj import {kind} examples/sumsel-2025/{kind}.csv --locale en"
        for kind in ("potentials", "batches", "targets", "figures")
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_demo_reads_well_at_80_columns(tmp_path: Path) -> None:
    """No line of a terminal of 80 columns is wider, but where the temporary store is."""
    answer = ucj("demo", folder=tmp_path, terminal=True, columns=80)
    assert answer.code == 0
    for line in answer.lines:
        shown = line.replace("\x1b[1m", "").replace("\x1b[0m", "")
        assert len(shown) <= 80 or shown.startswith("made an empty store")


def test_nothing_is_hard_coded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another example the demo says what that one says."""
    other = tmp_path / "sumsel-2025"
    other.mkdir()
    for file in EXAMPLE.glob("*.csv"):
        text = file.read_text(encoding="utf-8").replace("45000", "46000")
        (other / file.name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(cli.demonstration, "example_folder", lambda: other)
    answer = ucj("demo", folder=tmp_path)
    assert answer.code == 0
    assert "134,958" in answer.out
    assert "133,958" not in answer.out


def test_the_store_is_kept_where_it_is_asked(tmp_path: Path) -> None:
    """--keep leaves a store that answers; a second time the place is taken and nothing happens."""
    assert ucj("demo", "--keep", "kept.db", folder=tmp_path).code == 0
    store = tmp_path / "kept.db"
    assert head(store) == 28
    answer = ucj("--store", "kept.db", "coverage", "16.06", "--on", "2025-07", folder=tmp_path)
    assert "48.26" in answer.out
    again = ucj("demo", "--keep", "kept.db", folder=tmp_path)
    assert again.code == 1
    assert "kept.db is there already" in again.err
    assert head(store) == 28


def test_the_commands_to_try_next_work(tmp_path: Path) -> None:
    """What the demo ends with can be typed as it stands."""
    answer = ucj("demo", "--keep", "demo.db", folder=tmp_path)
    tried = [line.split()[1:] for line in answer.lines if line.startswith("  ucj ")]
    assert len(tried) >= 2
    for typed in tried:
        assert ucj(*typed, folder=tmp_path).code == 0, typed


def test_somebody_without_a_name_sees_the_demo_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container without a login name is no reason to refuse an example."""

    def nobody() -> str:
        raise OSError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    answer = ucj("demo", folder=tmp_path, environment={"UCJ_ACTOR": ""})
    assert answer.code == 0
    assert "by demo" in answer.out
    assert ucj("--by", "x\ny", "demo", folder=tmp_path).code == 1


def test_the_example_is_found_in_a_wheel_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the packages in a checkout, inside cli where no checkout is around it."""
    assert example_folder() == EXAMPLE
    installed = tmp_path / "site-packages" / "cli"
    monkeypatch.setattr(cli.demonstration, "__file__", str(installed / "demonstration.py"))
    assert example_folder() == installed / "examples" / "sumsel-2025"
