"""The streams: any encoding, any width, NO_COLOR, `| head`, and a bar that leaves no trace."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.terminal import Progress, may_colour, progress, width_of

ROOT = Path(__file__).parent.parent
PRINTING = """
import sys
from cli.output import Column, Listing, write_listing
columns = (Column("t", "T", "text"), Column("n", "Count", "count"))
rows = ({"t": "Pake – Kelambu … é Σ 漢", "n": n} for n in range(int(sys.argv[2])))
write_listing(Listing("x", columns, rows), format=sys.argv[1], output=None)
"""
BARE = """
for n in range(200_000):
    print("–", n)
"""


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment without what the tests set themselves."""
    ours = {"PYTHONIOENCODING", "PYTHONUTF8", "NO_COLOR", "COLUMNS", "TERM"}
    return {name: value for name, value in os.environ.items() if name not in ours} | settings


def run(program: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program in the checkout, its output in a pipe."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(**settings), capture_output=True, check=False
    )


# --- encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "Pake – Kelambu … é Σ 漢"),
        ("cp1252", "Pake – Kelambu … é ? ?"),
        ("ascii", "Pake - Kelambu ... e ? ?"),
    ],
)
def test_a_table_prints_in_any_encoding(encoding: str, shown: str) -> None:
    """What the stream has is printed, what it lacks is put plainly, and nothing crashes."""
    told = run(PRINTING, "table", "1", PYTHONIOENCODING=encoding)

    assert (told.returncode, told.stderr) == (0, b"")
    assert shown in told.stdout.decode(encoding)


def test_an_unprepared_stream_crashes() -> None:
    """Negative control: the same dash through a bare ascii stdout is a UnicodeEncodeError."""
    assert b"UnicodeEncodeError" in run(BARE, PYTHONIOENCODING="ascii").stderr


@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
def test_programs_get_utf8_whatever_the_stream_says(form: str) -> None:
    """Data in a pipe is UTF-8 with LF, also where words would be cp1252."""
    told = run(PRINTING, form, "1", PYTHONIOENCODING="cp1252")

    assert "Pake – Kelambu … é Σ 漢" in told.stdout.decode("utf-8")
    assert b"\r" not in told.stdout


# --- | head ---------------------------------------------------------------------------------------


def cut_short(program: str, *arguments: str) -> tuple[int, bytes]:
    """Read one line of what the program prints, then go; return its exit code and its words."""
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=environment(PYTHONIOENCODING="utf-8"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        words = process.stderr.read()
        return process.wait(timeout=60), words


@pytest.mark.parametrize("form", ["table", "md", "csv", "json", "jsonl"])
def test_a_reader_may_go(form: str) -> None:
    """`| head -1` over far more than a pipe holds: exit 0, and not a word on stderr."""
    assert cut_short(PRINTING, form, "20000") == (0, b"")


def test_a_reader_may_go_before_the_last_flush() -> None:
    """A command that printed a little, all of it still buffered, ends as quietly."""
    program = (
        "import sys, os\n"
        "from cli.terminal import quiet_broken_pipe\n"
        "with quiet_broken_pipe():\n"
        "    print('x', flush=True)\n"
        "    sys.stdin.read()\n"
        "    print('y')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_without_care_a_broken_pipe_is_shouted() -> None:
    """Negative control: print alone ends with BrokenPipeError and another exit code."""
    code, words = cut_short(BARE)

    assert code != 0
    assert b"BrokenPipeError" in words


# --- a real terminal ------------------------------------------------------------------------------


def on_a_terminal(form: str, **settings: str) -> str:
    """Run the printing program on a pseudo-terminal; return what its screen was sent."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", PRINTING, form, "3"],
        cwd=ROOT,
        env=environment(PYTHONIOENCODING="utf-8", TERM="xterm", **settings),
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        received = bytearray()
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not piece:
                break
            received += piece
        os.close(ours)
        assert process.wait(timeout=60) == 0
    return received.decode("utf-8")


def test_a_terminal_gets_colour_unless_no_color() -> None:
    """Bold titles on a terminal; with NO_COLOR, TERM=dumb or into a pipe not one escape code."""
    assert "\x1b[1m" in on_a_terminal("table", COLUMNS="80")
    assert "\x1b" not in on_a_terminal("table", COLUMNS="80", NO_COLOR="1")
    assert b"\x1b" not in run(PRINTING, "table", "3", PYTHONIOENCODING="utf-8").stdout


def test_a_terminal_sets_the_width() -> None:
    """COLUMNS is respected on a terminal, and a narrow one gets records."""
    wide = on_a_terminal("table", COLUMNS="80", NO_COLOR="1").splitlines()
    narrow = on_a_terminal("table", COLUMNS="20", NO_COLOR="1").splitlines()

    assert wide[0].split() == ["T", "Count"]
    assert max(map(len, narrow)) <= 20
    assert len(narrow) > len(wide)


class Screen(io.StringIO):
    """A terminal in memory."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


@pytest.mark.parametrize(
    ("name", "value", "coloured"),
    [
        ("TERM", "xterm", True),
        ("NO_COLOR", "", True),
        ("NO_COLOR", "0", False),
        ("TERM", "dumb", False),
    ],
)
def test_colour_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, *, coloured: bool
) -> None:
    """NO_COLOR counts when it is not empty, whatever it says (https://no-color.org)."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("WT_SESSION", "1")
    monkeypatch.setenv(name, value)

    assert may_colour(Screen()) is coloured
    assert may_colour(io.StringIO()) is False
    assert may_colour(None) is False


def test_width_is_limited_by_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe has no width, even where COLUMNS is set; a terminal is never narrower than 20."""
    monkeypatch.setenv("COLUMNS", "100")
    assert width_of(Screen()) == 100
    assert width_of(io.StringIO()) is None
    monkeypatch.setenv("COLUMNS", "3")
    assert width_of(Screen()) == 20


# --- progress -------------------------------------------------------------------------------------


class Clock:
    """A clock that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def screen_after(sent: str) -> str:
    """Return what is left to see on one line after carriage returns."""
    line: list[str] = []
    for piece in sent.split("\r"):
        line[: len(piece)] = piece
    return "".join(line).rstrip()


@pytest.fixture
def clock() -> Clock:
    """Return a clock of the test's own."""
    return Clock()


def test_a_short_task_shows_nothing(clock: Clock) -> None:
    """Under a second: not a byte."""
    screen = Screen()
    bar = Progress("reading", 100, stream=screen, clock=clock)
    for _ in range(100):
        bar.advance()
        clock.now += 0.009
    bar.close()

    assert screen.getvalue() == ""


def test_a_long_task_shows_how_far_it_is(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second: label, bar, share and count; at the end the line is empty again."""
    monkeypatch.setenv("COLUMNS", "80")
    screen = Screen()
    bar = Progress("reading \x1b[2J", 4_000, stream=screen, clock=clock)
    clock.now += 1.0
    bar.advance(1_000)
    assert (
        screen_after(screen.getvalue())
        == r"reading \x1b[2J  [######..................]  25%  1,000"
    )

    clock.now += 0.05
    bar.advance(500)
    assert "1,500" not in screen.getvalue()  # at most ten times a second
    clock.now += 0.06
    bar.advance(500)
    assert "50%  2,000" in screen.getvalue()

    bar.close()
    assert screen_after(screen.getvalue()) == ""


def test_a_task_of_unknown_length_counts(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a length there is no share to show; the line still fits the screen."""
    monkeypatch.setenv("COLUMNS", "20")
    screen = Screen()
    bar = Progress("reading a very long name", None, stream=screen, clock=clock)
    clock.now += 2.0
    bar.advance(10)

    assert len(screen_after(screen.getvalue())) <= 19


def test_more_than_the_whole_is_the_whole(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong estimate does not draw outside its box."""
    monkeypatch.setenv("COLUMNS", "80")
    screen = Screen()
    bar = Progress("x", 10, stream=screen, clock=clock)
    clock.now += 2.0
    bar.advance(30)

    assert "[########################] 100%  30" in screen.getvalue()


def test_nobody_looking_nothing_shown(
    clock: Clock, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not on a terminal: not a byte, however long it takes, and no label either."""
    stream = io.StringIO()
    bar = Progress("reading", 10, stream=stream, clock=clock)
    clock.now += 60.0
    bar.advance(5)
    bar.close()
    assert stream.getvalue() == ""

    monkeypatch.setattr(Progress, "APPEARS_AFTER_SECONDS", 0.0)
    with progress("reading", 10) as on_stderr:
        on_stderr.advance(5)
    assert capfd.readouterr().err == ""


def test_an_interrupted_task_wipes_its_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """^C leaves a clean line for the words that follow."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(Progress, "APPEARS_AFTER_SECONDS", 0.0)

    def interrupted() -> None:
        with progress("reading", 10) as bar:
            bar.advance(5)
            assert screen_after(screen.getvalue()).startswith("reading")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert screen_after(screen.getvalue()) == ""


def test_advancing_is_cheap() -> None:
    """A million steps with nobody looking cost well under a few seconds."""
    bar = Progress("x", None, stream=None)
    started = time.perf_counter()
    for _ in range(1_000_000):
        bar.advance()

    assert time.perf_counter() - started < 5
