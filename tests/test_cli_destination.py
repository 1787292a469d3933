"""cli.destination: a place that takes no more is a refusal in words, never a fault of ours."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.destination import OutputUnwritableError, path_to, remedy_of
from tests.program import head, process_environment, ucj

FULL = Path("/dev/full")
BATCH = "reference,action,area,category,workers,effective_on\n{},enrol,16.71,guru,4,2025-01-01\n"
full_device = pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("full")
    assert ucj("init", folder=folder).code == 0
    return folder


def _fully(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run `ucj` with a stdout that is full; return its exit code and stderr."""
    with FULL.open("wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=folder,
            env=process_environment(),
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    return done.returncode, done.stderr


@full_device
@pytest.mark.parametrize(
    "typed",
    [
        "coverage",
        "coverage --format json",
        "coverage --format xlsx",
        "template batches",
        "--help",
        "completion bash",
    ],
)
def test_a_full_stdout_is_refused_in_words(folder: Path, typed: str) -> None:
    """Exit 1 and the system's word for it; nothing about a fault of ours, no traceback."""
    code, err = _fully(folder, *typed.split())
    assert code == 1, err
    assert err.startswith("standard output cannot be written\n"), err
    assert "fault" not in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err


@full_device
@pytest.mark.parametrize("form", ["text", "json"])
def test_an_import_that_cannot_be_reported_says_that_it_is_recorded(
    folder: Path, form: str
) -> None:
    """The commit is done when the report fails: stderr has the position."""
    (folder / f"{form}.csv").write_text(BATCH.format(form), encoding="utf-8")
    code, err = _fully(folder, "import", "batches", f"{form}.csv", "--format", form)
    last = head(folder / "registry.db")
    assert code == 1
    assert f"recorded at #{last - 1}–#{last}" in err
    assert "standard output cannot be written" in err


@full_device
def test_what_else_is_recorded_is_said_on_stderr(folder: Path) -> None:
    """So for a command that answers in a few words."""
    typed = ["category", "add", "penari", "--label-id", "Penari", "--label-en", "Dancers"]
    code, err = _fully(folder, *typed)
    assert code == 1
    assert f"recorded at #{head(folder / 'registry.db')}," in err
    assert "category penari" in err


@pytest.mark.parametrize("form", ["table", "json", "xlsx"])
def test_a_closed_stdout_is_refused_in_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """`ucj … >&-`: there is no stdout at all."""
    from cli.main import run

    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "stdout", None)
    assert run(["coverage", "--format", form]) == 1
    assert "standard output cannot be written" in capsys.readouterr().err


def test_an_answer_that_fits_is_whole(folder: Path) -> None:
    """Negative control: a stdout that takes all is neither refused nor cut."""
    assert json.loads(ucj("coverage", "--format", "json", folder=folder).out)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "may write"),
        (errno.EPERM, "may write"),
        (errno.EROFS, "may write"),
        (errno.ENOSPC, "free some room"),
        (errno.EIO, "another place"),
    ],
)
def test_the_remedy_fits_what_is_wrong(tmp_path: Path, number: int, words: str) -> None:
    """Room does not help where one may not write."""
    failure = OSError(number, "as the system says")
    assert words in remedy_of(failure)
    with pytest.raises(OutputUnwritableError) as refused, path_to(tmp_path / "a.csv"):
        raise failure
    assert words in refused.value.remedy
    assert ("room" in refused.value.remedy) == (number == errno.ENOSPC)
