"""cli.main: every command is in the table, helps, and ends with the code and the words it should."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest

from cli.main import COMMANDS
from cli.main import ucj as program
from tests.program import ucj, ucj_process

TIMEOUT_SECONDS = 1.5
NIK = "1671012304560001"


BELOW = {
    "import": ("batches", "potentials", "targets", "figures", "areas"),
    "category": ("list", "add"),
}
TYPED = (*COMMANDS, *(f"{group} {name}" for group, names in BELOW.items() for name in names))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    """The line of help in the table is the first line of the command's docstring."""
    command = program.get_command(click.Context(program), name)
    assert command is not None
    assert command.name == name
    assert (command.help or "").split("\n")[0] == COMMANDS[name][1]
    below = tuple(command.commands) if isinstance(command, click.Group) else ()
    assert below == BELOW.get(name, ()), "every command of a group is tested below"


@pytest.mark.parametrize("typed", TYPED)
def test_every_command_helps_with_an_example(typed: str, tmp_path: Path) -> None:
    """--help ends with 0, fits a terminal, and shows an example that begins with the command."""
    answer = ucj(*typed.split(), "--help", folder=tmp_path)
    assert answer.code == 0, answer
    assert "\n  Example" in answer.out
    assert f"    ucj {typed.split(maxsplit=1)[0]}" in answer.out or "| ucj " in answer.out
    assert "\\b" not in answer.out
    assert max(map(len, answer.lines)) <= 100
    assert answer.err == ""


def test_the_program_lists_its_commands(tmp_path: Path) -> None:
    """`ucj --help` names every command with its line."""
    answer = ucj("--help", folder=tmp_path)
    assert answer.code == 0
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in answer.out
        assert line in " ".join(answer.out.split())


def test_help_and_version_load_nothing_heavy(tmp_path: Path) -> None:
    """`ucj --help` and `ucj --version` import no model, no database, no command."""
    heavy = "{'pydantic', 'eventsourcing', 'duckdb', 'sqlite3', 'cli.admin', 'cli.analyst'}"
    for flag in ("--help", "--version"):
        code = (
            "import sys\nfrom cli.main import run\n"
            f"try:\n    run(['{flag}'])\nfinally:\n"
            f"    print(sorted({heavy} & set(sys.modules)), file=sys.stderr)\n"
        )
        answer = _python(code, tmp_path)
        assert answer.splitlines()[-1] == "[]", flag


def _python(code: str, folder: Path) -> str:
    import subprocess

    from tests.program import ROOT

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        (("coverage",), 4, "there is no store at registry.db"),
        (("--store", "postgresql://server/ucj", "coverage"), 4, "no server store yet"),
        (("coverage", "Atlantis"), 1, "Atlantis"),
        (("coverage", "--on", "30 Feb 2025"), 1, "2025"),
        (("coverage", "--nonsense"), 2, "No such option"),
        (("nonsense",), 2, "No such command"),
        (("import",), 2, "Usage: ucj import"),
        (("init", "--by", "  "), 1, "nobody is named"),
        (("init", "--by", "si\nti"), 1, "cannot be kept"),
        (("init", "--by", NIK), 1, "cannot be kept"),
    ],
)
def test_a_refusal_explains_itself_on_stderr(
    typed: tuple[str, ...], code: int, words: str, tmp_path: Path
) -> None:
    """Nothing on stdout, the reason on stderr, the exit code, nothing made on disk."""
    answer = ucj(*typed, folder=tmp_path, environment={"UCJ_ACTOR": " "} if "  " in typed else None)
    assert answer.code == code, answer
    assert answer.out == ""
    assert words in answer.err
    assert "Traceback" not in answer.err
    assert "\\x0a" not in answer.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "typed",
    [
        ("retract", NIK, "@1", "--reason", "x"),
        ("retract", "figure", NIK, "--reason", "x"),
        ("coverage", NIK),
        (NIK,),
        ("coverage", "--on", NIK),
        (f"--{NIK}",),
        ("withdraw", NIK, "--area", "16.06", "--reason", "x"),
        ("withdraw", "SK-1", "--area", "16.06", "--reason", f"of {NIK}"),
        ("withdraw", "SK-1", "--area", "16.06", "--reason", "x", "--part", NIK),
        ("category", "add", NIK, "--label-id", "a", "--label-en", "b"),
        ("category", "add", "a-b", "--label-id", NIK, "--label-en", "b"),
        ("init", "--by", NIK),
        ("import", "batches", "x.csv", "--plan", NIK),
        ("import", "batches", "x.csv", "--expect-rows", NIK),
        ("import", "batches", f"{NIK}.csv"),
        ("completion", NIK),
    ],
)
def test_a_personal_number_is_never_echoed(typed: tuple[str, ...], tmp_path: Path) -> None:
    """Whatever is refused, and wherever it was typed, a NIK does not come back on a screen."""
    if typed[0] != "init":
        assert ucj("init", folder=tmp_path).code == 0
    answer = ucj(*typed, folder=tmp_path)
    assert answer.code in {1, 2, 3}, answer
    assert NIK not in answer.out + answer.err


def _broken(error: BaseException) -> click.Command:
    @click.command("status")
    def status_command() -> None:
        """Fail."""
        raise error

    return status_command


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ZeroDivisionError("secret"), 70, "A fault of ours (ZeroDivisionError)"),
        (KeyboardInterrupt(), 130, "Interrupted; nothing was recorded."),
        (click.Abort(), 130, "Interrupted; nothing was recorded."),
        (RuntimeError("Query interrupted"), 130, "Interrupted; nothing was recorded."),
        (RuntimeError("query"), 70, "A fault of ours (RuntimeError)"),
        (MemoryError(), 70, "A fault of ours (MemoryError)"),
    ],
)
def test_a_fault_is_one_line(
    error: BaseException, code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours and an interruption end with their code, without a traceback."""
    monkeypatch.setattr("cli.upkeep.status_command", _broken(error))
    answer = ucj("status", folder=tmp_path)
    assert answer.code == code
    assert words in answer.err
    assert "secret" not in answer.err
    assert "Traceback" not in answer.err
    assert len(answer.err.strip().splitlines()) == 1


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_traceback_is_shown_to_whoever_asks(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--traceback and UCJ_TRACEBACK show where: the control that hiding is ours."""
    monkeypatch.setattr("cli.upkeep.status_command", _broken(ZeroDivisionError("deep")))
    given: dict[str, Any] = (
        {"arguments": ("--traceback", "status"), "environment": {}}
        if how == "option"
        else {"arguments": ("status",), "environment": {"UCJ_TRACEBACK": "1"}}
    )
    answer = ucj(*given["arguments"], folder=tmp_path, environment=given["environment"])
    assert answer.code == 70
    assert "Traceback" in answer.err
    assert "deep" in answer.err


def test_the_program_runs_as_a_process(tmp_path: Path) -> None:
    """The same answers from a process of its own: version, refusal, and code."""
    assert ucj_process("--version", folder=tmp_path).out.startswith("ucj ")
    answer = ucj_process("status", folder=tmp_path)
    assert (answer.code, answer.out) == (4, "")
    assert "there is no store" in answer.err


def test_a_refusal_tells_every_error_and_no_warning_for_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first error is the refusal itself; a warning before it is not told as if it were one."""
    from cli.main import _refused
    from registry.errors import Problem, RuleBrokenError

    problems = (
        Problem("code", "warning", "", None, "odd", ""),
        Problem("code", "error", "", None, "first", ""),
        Problem("code", "error", "", None, "second", ""),
    )
    assert _refused(RuleBrokenError("first", problems=problems)) == 1
    assert capsys.readouterr().err == "first\nalso: second\n"


BUSY_SAID = {
    ("coverage", "16.06"): "the store registry.db is busy: another is writing\n",
    ("timeline", "16.06"): "the store registry.db is busy: another is writing\n",
    ("withdraw", "S1", "--area", "16.06", "--reason", "x", "--dry-run"): (
        "the store registry.db is busy: another is writing; nothing was recorded\n"
    ),
}


@pytest.mark.parametrize(("typed", "said"), BUSY_SAID.items())
def test_a_busy_store_is_waited_for_once(
    typed: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by a command that first asks it for its areas; a question says nothing of recording."""
    from registry.storage import log

    monkeypatch.setattr(log, "READ_TIMEOUT_SECONDS", TIMEOUT_SECONDS)
    waits = log.open_log.__kwdefaults__
    assert waits is not None
    monkeypatch.setitem(waits, "lock_timeout_seconds", TIMEOUT_SECONDS)
    assert ucj("init", folder=tmp_path).code == 0
    assert ucj(*typed[:2], folder=tmp_path).code != 4, "its modules are loaded"
    with closing(sqlite3.connect(tmp_path / "registry.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        started = time.monotonic()
        answer = ucj(*typed, folder=tmp_path)
        waited = time.monotonic() - started
        other.execute("ROLLBACK")
    assert answer.code == 4, answer
    assert said in answer.err
    assert waited < 2 * TIMEOUT_SECONDS
