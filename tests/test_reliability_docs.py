"""The page on faults names tests that exist, and every fault test stands on it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.program import ROOT

PAGE = ROOT / "docs" / "reliability.md"


def _tests(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_the_page_names_every_file_of_fault_tests_and_no_other() -> None:
    """Each tests/test_reliability_….py is on the page; each file on the page is there."""
    named = set(re.findall(r"\btest_\w+\.py\b", PAGE.read_text(encoding="utf-8")))
    assert {path.name for path in (ROOT / "tests").glob("test_reliability_*.py")} <= named
    assert all((ROOT / "tests" / name).is_file() for name in named)


def test_the_page_names_only_tests_that_exist() -> None:
    """A test that was renamed or removed is not still promised."""
    known = set().union(*(_tests(path) for path in (ROOT / "tests").glob("test_*.py")))
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    assert named, "no test is named"
    assert named <= known, named - known
