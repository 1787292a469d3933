"""The build: one way in for people and for the build machine, and no module without a word."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
FOLDERS: Final = ("registry", "projections", "cli", "tests", "benchmarks")
MODULES: Final = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
TARGETS: Final = ("demo", "test", "check", "bench", "soak", "docs", "lock", "clean")

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


def _make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run make as a person would, not as a child of the make that runs the tests."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    settings.pop("MFLAGS", None)
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_build_machine_runs_what_people_run() -> None:
    """.ci/run can be started, stops at the first failure, and calls `make test`."""
    script = ROOT / ".ci/run"
    text = script.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    assert re.search(r"^(exec )?make test\b", text, re.MULTILINE)
    assert os.name == "nt" or os.access(script, os.X_OK)


@needs_make
def test_make_knows_its_targets() -> None:
    """`make --dry-run` finds a rule for each promised target, and `make help` names it."""
    told = _make("help").stdout
    for target in TARGETS:
        assert f"make {target} " in told
    assert _make("--dry-run", *TARGETS).returncode == 0
    assert _make("--dry-run", "no-such-target").returncode != 0


@needs_make
def test_make_test_is_everything() -> None:
    """`make test` checks format, lint, types and import contracts, and leaves only soak out."""
    plan = _make("--dry-run", "test").stdout
    for step in ("ruff format --check", "ruff check", "mypy", "lint-imports", "pytest -n auto"):
        assert step in plan
    assert "-m 'not soak'" in plan


@needs_make
def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """With a Python that says it is too old, make stops before anything is installed."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    refused = _make("demo", f"PYTHON={old}", folder=tmp_path)
    assert refused.returncode != 0
    assert refused.stderr.splitlines()[0].startswith("ucj needs Python 3.11 or newer;")
    assert not (tmp_path / ".venv").exists()


def test_the_modules_are_found() -> None:
    """The list of the next test is not empty by mistake."""
    assert ROOT / "registry/terms.py" in MODULES
    assert Path(__file__).resolve() in [module.resolve() for module in MODULES]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(module: Path) -> None:
    """The first statement of each module is its docstring, and it is a sentence."""
    said = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    assert said, "no docstring"
    assert said.split("\n\n")[0].endswith((".", ":", "?")), said
