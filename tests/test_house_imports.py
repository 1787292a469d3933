"""The import contracts hold, and each of them can break (negative controls)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = ("registry", "projections", "cli")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a copy of the packages and their contracts, to be broken."""
    for package in PACKAGES:
        unread = shutil.ignore_patterns("__pycache__", "*.csv", "*.ledger")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=unread)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _lint_imports(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_contracts_hold(house: Path) -> None:
    """No module imports what its place does not allow."""
    code, said = _lint_imports(house)
    assert code == 0, said
    assert "0 broken" in said


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("registry/batch.py", "import sqlite3", "registry.batch is not allowed to import sqlite3"),
        ("registry/area.py", "import time", "registry.area is not allowed to import time"),
        ("registry/terms.py", "import os", "registry.terms is not allowed to import os"),
        ("registry/events.py", "import click", "registry.events is not allowed to import click"),
        ("registry/errors.py", "import registry.terms", "registry.errors is not allowed to import"),
        (
            "registry/terms.py",
            "import projections",
            "registry is not allowed to import projections",
        ),
        ("projections/ledger.py", "import cli", "projections is not allowed to import cli"),
        ("registry/helpers.py", "", "- registry.helpers"),
        ("projections/helpers.py", "", "- projections.helpers"),
        ("cli/helpers.py", "", "- cli.helpers"),
    ],
)
def test_a_contract_can_break(house: Path, module: str, line: str, broken: str) -> None:
    """Negative control: one forbidden import, or one module without a place, and it says which."""
    with (house / module).open("a", encoding="utf-8") as changed:
        changed.write(f"\n{line}\n")
    code, said = _lint_imports(house)
    assert code != 0
    assert broken in said
