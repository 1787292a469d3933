"""Whole processes: how long until `ucj` has said something, beside what it imports."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

import pytest

from benchmarks.processes import UCJ, run
from registry import __version__

if TYPE_CHECKING:
    from benchmarks.conftest import Country
    from benchmarks.timing import Benchmark

ROUNDS: Final = 9
COMPLETING: Final = (
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'ucj'; import cli.start; cli.start.main()",
)


def _time(benchmark: Benchmark, *command: str, environment: dict[str, str]) -> str:
    finished = benchmark.pedantic(
        run, command, {"environment": environment}, rounds=ROUNDS, warmup_rounds=1
    )
    return str(finished.printed)


@pytest.mark.benchmark(group="start")
@pytest.mark.parametrize("module", ["sys", "click", "duckdb"])
def test_bare_python(benchmark: Benchmark, environment: dict[str, str], module: str) -> None:
    """Beside it: Python that imports one module and says its name."""
    script = f"import {module}; print({module}.__name__)"
    said = _time(benchmark, sys.executable, "-c", script, environment=environment)
    assert said.strip() == module


@pytest.mark.benchmark(group="start")
def test_help(benchmark: Benchmark, environment: dict[str, str]) -> None:
    """`ucj --help` lists the commands."""
    assert "coverage" in _time(benchmark, *UCJ, "--help", environment=environment)


@pytest.mark.benchmark(group="start")
def test_version(benchmark: Benchmark, environment: dict[str, str]) -> None:
    """`ucj --version` says which."""
    said = _time(benchmark, *UCJ, "--version", environment=environment)
    assert said.strip() == f"ucj {__version__}"


@pytest.mark.benchmark(group="start")
def test_completion(benchmark: Benchmark, environment: dict[str, str]) -> None:
    """The word that the shell asks for at each press of the tab key."""
    asked = {"_UCJ_COMPLETE": "bash_complete", "COMP_WORDS": "ucj cov", "COMP_CWORD": "1"}
    said = _time(benchmark, *COMPLETING, environment=environment | asked)
    assert "coverage" in said


@pytest.mark.benchmark(group="start")
def test_coverage(benchmark: Benchmark, environment: dict[str, str], country: Country) -> None:
    """`ucj coverage` answers for a regency of the whole country."""
    said = _time(
        benchmark,
        *UCJ, "--store", str(country.store.path), "coverage", country.regency,
        "--on", str(country.on), "--format", "json",
        environment=environment,
    )  # fmt: skip
    heads = sum(n for (area, _), n in country.heads.items() if area == country.regency)
    assert json.loads(said)[0]["active"] == heads


@pytest.mark.benchmark(group="start")
def test_trace(benchmark: Benchmark, environment: dict[str, str], country: Country) -> None:
    """`ucj trace` of a year of the same regency: one question more, and what it prints."""
    since = country.on.replace(year=country.on.year - 1)
    said = _time(
        benchmark,
        *UCJ, "--store", str(country.store.path), "trace", country.regency,
        "--from", str(since), "--to", str(country.on), "--format", "table",
        environment=environment,
    )  # fmt: skip
    heads = sum(n for (area, _), n in country.heads.items() if area == country.regency)
    assert f" {heads:,} " in next(line for line in said.splitlines() if "Closing" in line)
