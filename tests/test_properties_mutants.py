"""Mistakes made on purpose, one at a time: the properties of the ledger must find each of them.

A copy of the checkout is changed in one place and the property tests run over it, with as many
examples as in every run. Nothing here knows what a mistake would do; that is the oracle's part.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).parent.parent
PROPERTIES: Final = tuple(
    f"tests/test_properties_{each}.py"
    for each in ("fold", "potentials", "histories", "machine", "trace")
)


class Mutant(NamedTuple):
    """A mistake: in which file, and what stands there instead of what."""

    name: str
    file: str
    right: str
    wrong: str


FOLD: Final = "projections/fold.sql"
RULES: Final = "projections/rules.py"
LEDGER: Final = "projections/ledger.py"
COVERAGE: Final = "projections/coverage.py"
DRAWING: Final = "registry/drawing.py"
AREA: Final = "registry/area.py"

MUTANTS: Final = (
    Mutant("a lapse adds", FOLD, "lapses THEN -sign ELSE", "lapses THEN sign ELSE"),
    Mutant("a term ends a day early", FOLD, "lapses THEN line.cohort.expires_on ELSE",
           "lapses THEN line.cohort.expires_on - 1 ELSE"),
    Mutant("a withdrawal takes nothing back", FOLD,
           "FROM line WHERE topic IN ('ucj.batch-corrected', 'ucj.batch-withdrawn')\n    UNION ALL",
           "FROM line WHERE topic IN ('ucj.batch-corrected')\n    UNION ALL"),
    Mutant("a correction takes nothing back", FOLD,
           "FROM line WHERE topic IN ('ucj.batch-corrected', 'ucj.batch-withdrawn')\n    UNION ALL",
           "FROM line WHERE topic IN ('ucj.batch-withdrawn')\n    UNION ALL"),
    Mutant("a correction puts nothing", FOLD,
           "unnest(state.puts)\n    FROM line WHERE topic = 'ucj.batch-corrected'",
           "unnest(state.puts)\n    FROM line WHERE topic = 'ucj.batch-corrected' AND false"),
    Mutant("a correction takes back on its own day", FOLD,
           "state.takes_back.effective_on AS effective_on",
           "coalesce(state.effective_on, state.takes_back.effective_on) AS effective_on"),
    Mutant("a correction puts on the old day", FOLD, "'puts', state.effective_on",
           "'puts', state.takes_back.effective_on"),
    Mutant("a balance is skipped", FOLD, "'ucj.batch-reclassified', 'ucj.balance-reconciled')\n)",
           "'ucj.batch-reclassified')\n)"),
    Mutant("the segment is dropped", FOLD, "line.cohort.segment, line", "NULL, line"),
    Mutant("the funding is dropped", FOLD, "line.cohort.funding,\n", "NULL,\n"),
    Mutant("the cohort's part is dropped", FOLD, "line.cohort.part, line", "'', line"),
    Mutant("who is renewed is dropped", FOLD, 'line."of".reference', "NULL"),
    Mutant("the renewed funding is dropped", FOLD, 'line."of".funding', "NULL"),
    Mutant("a potential taken back stays", FOLD, "topic IN ('ucj.labour-potential-withdrawn', ",
           "topic IN ("),
    Mutant("what a withdrawal gives back is not asked", RULES, " OR act = 'takes-back')", ")"),
    Mutant("a renewal is not asked", RULES, "OR kind = 'renewal' OR", "OR"),
    Mutant("a cohort may be one short", RULES, "_on, balance\nFROM running WHERE balance < 0",
           "_on, balance\nFROM running WHERE balance < -1"),
    Mutant("a pool has those with terms", RULES, "FROM relevant WHERE expires_on IS NULL GROUP",
           "FROM relevant GROUP"),
    Mutant("a pool is counted at the end of time", RULES,
           "pool AS (PARTITION BY area, category ORDER BY effective_on)",
           "pool AS (PARTITION BY area, category)"),
    Mutant("moved on the first day is not renewed", RULES,
           "     AND relevant.kind NOT IN ('reclassification', 'transfer')\n", ""),
    Mutant("who leaves on the first day was renewed", RULES,
           "     AND relevant.kind NOT IN ('reclassification', 'transfer')\n",
           "     AND relevant.kind = 'renewal'\n"),
    Mutant("nobody is renewed on the first day", RULES,
           "relevant.effective_on <= renewing.starts_on",
           "relevant.effective_on < renewing.starts_on"),
    Mutant("the lapsed do not survive", RULES, "relevant.effective_on < renewed.starts_on",
           "relevant.effective_on <= renewed.starts_on"),
    Mutant("one more is renewed", RULES, "WHERE workers > survivors",
           "WHERE workers > survivors + 1"),
    Mutant("a batch on the opening's day", RULES, "live.effective_on <= opening",
           "live.effective_on < opening"),
    Mutant("a second opening", RULES, "opening.openings > 1", "opening.openings > 2"),
    Mutant("a withdrawn batch before the opening", RULES,
           "kind <> 'lapse' GROUP BY ALL HAVING sum(workers) <> 0\n), opening",
           "kind <> 'lapse' GROUP BY ALL\n), opening"),
    Mutant("the image's last event twice", LEDGER,
           "after = self.image.position if self.image else 0",
           "after = self.image.position - 1 if self.image else 0"),
    Mutant("the event after the image is skipped", LEDGER,
           "after = self.image.position if self.image else 0",
           "after = self.image.position + 1 if self.image else 0"),
    Mutant("an image hides alike rows", LEDGER, "UNION ALL", "UNION"),
    Mutant("an image lacks the last event", LEDGER, "building, 0, position, chunk_bytes",
           "building, 0, position - 1, chunk_bytes"),
    Mutant("what is known stops short", COVERAGE, "effective_on <= $on AND position <= $known",
           "effective_on <= $on AND position < $known"),
    Mutant("what came later is known", COVERAGE, "effective_on <= $on AND position <= $known",
           "effective_on <= $on AND ($known > 0)"),
    Mutant("the day itself does not count", COVERAGE, "effective_on <= $on AND",
           "effective_on < $on AND"),
    Mutant("the first potential of a day counts", COVERAGE, "itemgetter(1, 5)",
           "lambda row: (row[1], -row[5])"),
    Mutant("the oldest potential counts", COVERAGE,
           "found.sort(key=_VALID_FROM_AND_POSITION)",
           "found.sort(key=_VALID_FROM_AND_POSITION, reverse=True)"),
    Mutant("a potential counts from the next day", COVERAGE, "valid_from <= $on",
           "valid_from < $on"),
    Mutant("a later potential is known", COVERAGE, "position <= $known AND $of",
           "$known > 0 AND $of"),
    Mutant("what is taken back later is gone", COVERAGE, "FROM taken_back WHERE position <= $known",
           "FROM taken_back"),
    Mutant("a province divides heads without a potential", COVERAGE, "for each in counted) if counted",
           "for each in having) if counted"),
    Mutant("a province divides by all its potentials", COVERAGE,
           "denominator = _summed([potentials[each] for each in counted])",
           "denominator = _summed([p for each, p in potentials.items() if each[:3] == area + '.'])"),
    Mutant("an incomplete province takes its own potential", COVERAGE,
           "own is not None and complete", "own is not None"),
    Mutant("a group takes points without a potential", COVERAGE,
           "counted = whole if len(taken_over) == len(inside) else _added(taken_over, sums)",
           "counted = whole"),
    Mutant("a leave on the day after the term", DRAWING, "effective_on >= cohort.expires_on",
           "effective_on > cohort.expires_on"),
    Mutant("no leave on the first day", DRAWING, "effective_on < drawn.starts_on",
           "effective_on <= drawn.starts_on"),
    Mutant("the last covered day is not covered", DRAWING,
           "return covered_until + timedelta(days=1)", "return covered_until + timedelta(days=0)"),
    Mutant("a transfer takes from where it goes", DRAWING, "origin = line.from_area or command.area",
           "origin = command.area"),
    Mutant("a transfer stays where it was", DRAWING,
           "entered = Cohort(\n                area=command.area",
           "entered = Cohort(\n                area=origin"),
    Mutant("a move loses the end", DRAWING, "funding=drawn.funding,\n                expires_on=drawn.expires_on",
           "funding=drawn.funding,\n                expires_on=None"),
    Mutant("a move loses the segment", DRAWING, "segment=drawn.segment,\n                funding=drawn",
           "segment=None,\n                funding=drawn"),
    Mutant("a renewal keeps the funding", DRAWING, "funding=command.funding or drawn.funding",
           "funding=drawn.funding"),
    Mutant("a renewal of terms that end on several days", DRAWING,
           "if drawn.expires_on != starts_on:", "if False:"),
    Mutant("two cohorts renewed into one", DRAWING,
           "if continued.setdefault(cohort, drawn) != drawn:", "if False:"),
    Mutant("a cohort of any segment", DRAWING,
           "(line.segment is None or each.segment == line.segment)", "True"),
    Mutant("a cohort of any term", DRAWING, "(term is None or each.expires_on == term)", "True"),
    Mutant("a potential said again after another", AREA,
           "if not positions or not isinstance(event, LabourPotentialRevised):", "if True:"),
    Mutant("what was taken back still stands", AREA,
           "self._contents[_content(gone)].discard(event.takes_back_position)", "pass"),
)  # fmt: skip


def copied(folder: Path) -> Path:
    """Copy what the property tests need of the checkout."""
    for name in ("registry", "projections", "tests"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def tried(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the property tests in a folder, to the first that fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *PROPERTIES]
    settings = {**os.environ, "PYTHONPATH": str(folder), "HYPOTHESIS_PROFILE": "unshrunk"}
    return subprocess.run(
        command, cwd=folder, env=settings, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
def test_the_place_of_a_mistake_is_there(mutant: Mutant) -> None:
    """Once, or the mistake would be another than its name says."""
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.right) == 1
    assert mutant.right != mutant.wrong


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
def test_the_properties_find_a_mistake(mutant: Mutant, tmp_path: Path) -> None:
    """Whatever it does: an answer or a refusal is another than the oracle's, or something breaks."""
    path = copied(tmp_path) / mutant.file
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(mutant.right, mutant.wrong), encoding="utf-8")
    found = tried(tmp_path)
    assert found.returncode == 1, found.stdout
    assert "FAILED tests/test_properties_" in found.stdout


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_control_without_a_mistake_nothing_is_found(tmp_path: Path) -> None:
    """The copy itself passes."""
    found = tried(copied(tmp_path))
    assert found.returncode == 0, found.stdout
