"""cli.destination: a place that takes no more is a refusal in words, never a fault of ours."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.destination import OutputUnwritableError, partial, path_to, remedy_of
from tests.faults import ordinary
from tests.program import head, nothing_recorded, process_environment, ucj

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
def test_files_that_cannot_be_reported_are_counted_as_recorded(folder: Path) -> None:
    """What was recorded, and not what could be said of it."""
    for name in "ab":
        (folder / f"{name}.csv").write_text(BATCH.format(name), encoding="utf-8")
    code, err = _fully(folder, "import", "batches", "a.csv", "b.csv")
    assert code == 1
    assert "2 of 2 files are recorded." in err


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


# --- a place that cannot be written: what every command says of it --------------------------------

# Each command with PLACE where it writes; whether the place must be new.
WRITING = {
    "coverage --output PLACE.csv": False,
    "history --output PLACE.xlsx": False,
    "import batches b.csv --report PLACE.json": False,
    "import batches b.csv --refused PLACE.csv": False,
    "template batches --output PLACE.csv": True,
    "source @1 --file PLACE.csv": True,
    "backup PLACE.db": True,
    "demo --keep PLACE.db": True,
    "export PLACE": True,
}
FOR_FILES = [each for each in WRITING if not each.startswith("export")]


@pytest.fixture(name="made_once", scope="module")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store that holds one file, and another file."""
    folder = tmp_path_factory.mktemp("office")
    assert ucj("init", folder=folder).code == 0
    (folder / "a.csv").write_text(BATCH.format("SK 1"), encoding="utf-8")
    (folder / "b.csv").write_text(BATCH.format("SK 2"), encoding="utf-8")
    assert ucj("import", "batches", "a.csv", folder=folder).code == 0
    return folder


@pytest.fixture(name="office")
def _office(made_once: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder, with a closed one in it."""
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    (tmp_path / "closed").mkdir(mode=0o500)
    return tmp_path


def _typed(command: str, place: str) -> list[str]:
    return [word.replace("PLACE", place) for word in command.split()]


@pytest.mark.parametrize("command", WRITING)
def test_a_folder_that_is_not_there_is_usage(office: Path, command: str) -> None:
    """Exit 2 of every command, and nothing is recorded first."""
    with nothing_recorded(office / "registry.db"):
        answer = ucj(*_typed(command, "nosuch/x"), folder=office)
    assert answer.code == 2, answer
    assert "does not exist" in answer.err
    assert not (office / "nosuch").exists()


@pytest.mark.parametrize("command", FOR_FILES)
def test_a_folder_where_a_file_is_needed_is_usage(office: Path, command: str) -> None:
    """Exit 2 of every command that writes a file; an import is not recorded first."""
    typed = _typed(command, "x")
    (place,) = (word for word in typed if word.startswith("x."))
    (office / place).mkdir()
    with nothing_recorded(office / "registry.db"):
        answer = ucj(*typed, folder=office)
    assert answer.code == 2, answer
    assert "is a directory" in answer.err


@pytest.mark.parametrize("there", ["file", "link"])
@pytest.mark.parametrize("command", [each for each in FOR_FILES if WRITING[each]])
def test_what_is_there_is_not_overwritten(office: Path, command: str, there: str) -> None:
    """Exit 1 of every command whose file is somebody's work, also of a link that leads nowhere."""
    typed = _typed(command, "x")
    (place,) = (office / word for word in typed if word.startswith("x."))
    if there == "file":
        place.write_text("precious")
    else:
        place.symlink_to(office / "elsewhere")
    answer = ucj(*typed, folder=office)
    assert answer.code == 1, answer
    assert "is there already" in answer.err
    assert place.is_symlink() or place.read_text() == "precious"
    assert not (office / "elsewhere").exists()


@pytest.mark.parametrize("place", ["registry.db", "link.db", "other.db", "registry.db-journal"])
@pytest.mark.parametrize(
    "typed",
    [
        ("coverage", "--format", "csv", "--output"),
        ("history", "--format", "xlsx", "--output"),
        ("import", "batches", "b.csv", "--report"),
    ],
)
def test_a_store_is_never_written_over(tmp_path: Path, typed: tuple[str, ...], place: str) -> None:
    """Neither the one that is asked nor another, by whatever name; the control is another file."""
    for name in ("registry.db", "other.db"):
        assert ucj("init", "--store", name, folder=tmp_path).code == 0
    (tmp_path / "link.db").hardlink_to(tmp_path / "registry.db")
    (tmp_path / "registry.db-journal").touch()
    (tmp_path / "b.csv").write_text(BATCH.format("400/1/2025"), encoding="utf-8")
    before = [(tmp_path / name).read_bytes() for name in ("registry.db", "other.db")]
    answer = ucj(*typed, place, folder=tmp_path)
    assert answer.code == 1, answer
    assert "is a registry's store; it was not touched" in answer.err
    assert [(tmp_path / name).read_bytes() for name in ("registry.db", "other.db")] == before
    (tmp_path / "registry.db-journal").unlink()
    mine = "mine.xlsx" if "xlsx" in typed else "mine.csv"
    (tmp_path / mine).write_text("mine", encoding="utf-8")
    assert ucj(*typed, mine, folder=tmp_path).code == 0


def test_a_folder_that_may_not_be_written_is_refused_alike(office: Path) -> None:
    """Exit 1 of every command, its words the same; 4 is the store's: the control is `init`."""
    script = (
        "import contextlib, io, json, sys\n"
        "from cli.main import run\n"
        "for typed in json.loads(sys.argv[1]):\n"
        "    told = io.StringIO()\n"
        "    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):\n"
        "        code = run(typed)\n"
        "    print(json.dumps([code, told.getvalue()]))\n"
    )
    commands = [_typed(command, "closed/x") for command in WRITING]
    commands += [["init", "--store", "closed/x.db"], ["coverage", "--output", "closed.csv"]]
    with nothing_recorded(office / "registry.db"):
        done = subprocess.run(
            [str(each) for each in ordinary([sys.executable, "-c", script, json.dumps(commands)])],
            cwd=office,
            env=process_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    *told, (made, _), (written, _) = map(json.loads, done.stdout.splitlines())
    assert [code for code, _ in told] == [1] * len(WRITING), told
    assert all("the output cannot be written\nPermission denied" in err for _, err in told), told
    assert (made, written) == (4, 0)
    assert not list((office / "closed").iterdir())


@pytest.mark.parametrize("command", WRITING)
def test_a_name_that_cannot_be_is_refused(office: Path, command: str) -> None:
    """No file system has a name of 300 letters: exit 1, no fault of ours."""
    with nothing_recorded(office / "registry.db"):
        answer = ucj(*_typed(command, "x" * 300), folder=office)
    assert answer.code == 1, answer
    assert "too long" in answer.err


def test_a_number_in_a_name_is_not_echoed(office: Path) -> None:
    """Whatever is wrong with the place."""
    (office / "1606010101010001.db").write_text("")
    for place in ("1606010101010001", "nosuch/1606010101010001"):
        for command in ("backup PLACE.db", "template batches --output PLACE.db"):
            answer = ucj(*_typed(command, place), folder=office)
            assert answer.code in {1, 2}
            assert "1606010101010001" not in answer.err


# --- what is being written ------------------------------------------------------------------------


def test_what_is_being_written_says_whose_beginning_it_is(tmp_path: Path) -> None:
    """A killed process leaves it: hidden, under the name of what it was to become."""
    with path_to(tmp_path / "coverage.csv") as path:
        path.write_text("begun")
        assert path.parent == tmp_path
        assert path.name.startswith(".coverage.csv.partial-")
        assert not (tmp_path / "coverage.csv").exists()
    assert [each.name for each in tmp_path.iterdir()] == ["coverage.csv"]


@pytest.mark.parametrize("letter", ["x", "é", "💶"])
def test_the_longest_name_has_room_for_its_beginning(tmp_path: Path, letter: str) -> None:
    """A name of 255 bytes may be written; two beginnings of it have two names."""
    name = letter * (255 // len(letter.encode()))
    with path_to(tmp_path / name) as path:
        path.write_text("begun")
    assert (tmp_path / name).read_text() == "begun"
    assert partial(tmp_path / name) != partial(tmp_path / name)


def test_a_backup_that_is_cut_off_is_no_backup(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing stands under its name until it is whole; what was begun is gone."""
    from registry.storage import sqlite

    def interrupted(_: Path, target: Path) -> int:
        assert target.exists()
        assert not (office / "x.db").exists()
        raise KeyboardInterrupt

    before = {each.name for each in office.iterdir()}
    monkeypatch.setattr(sqlite, "_copy", interrupted)
    assert ucj("backup", "x.db", folder=office).code == 130
    assert {each.name for each in office.iterdir()} == before
    monkeypatch.undo()
    assert ucj("backup", "x.db", folder=office).code == 0
    assert head(office / "x.db") == head(office / "registry.db")
