"""Read ahead by a child: the same things in the same order, whatever becomes of the child."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.intake.reading_ahead import can_read_ahead, made_ahead
from tests.program import process_environment, ucj

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="a child is forked on Linux only"),
    # Whoever runs tests side by side has threads; Python 3.12 warns of a fork beside them.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

_things = st.recursive(
    st.none() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(_things))
def test_what_is_made_comes_as_it_is(things: list[Any]) -> None:
    """Also what is large, or nothing."""
    assert [*made_ahead(lambda: iter(things))] == things


@pytest.mark.parametrize("end", ["killed", "gone", "raising"])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_whatever_ends_the_child_the_rest_is_made_here(end: str, after: int) -> None:
    """Killed for want of memory, or ended by itself, in the middle: nothing is missing or twice."""
    parent = os.getpid()

    def make() -> Iterator[int]:
        for number in range(5):
            if number == after and os.getpid() != parent:
                if end == "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
                if end == "gone":
                    os._exit(0)
                raise MemoryError
            yield number

    assert [*made_ahead(make)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("kept", [1, 3, 70_000])
def test_a_child_that_ends_within_a_message_is_none(kept: int) -> None:
    """As where it is killed while a large page waits in the pipe: the rest is made here."""
    page = "x" * 400_000

    def torn(pipe: Any, each: bytes) -> None:
        pipe.write((len(each).to_bytes(4, "big") + each)[:kept])
        pipe.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    with mock.patch("registry.intake.reading_ahead._send", torn):
        assert [*made_ahead(lambda: iter([page, 2]))] == [page, 2]


def test_where_the_system_collects_children_nothing_is_lost() -> None:
    """Whoever started us may not care for what becomes of children: then there is none to wait for."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert [*made_ahead(lambda: iter(range(3)))] == [0, 1, 2]
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_where_no_pipe_can_be_made_all_is_made_here() -> None:
    """As where no more files may be open."""
    with mock.patch("os.pipe", side_effect=OSError(24, "Too many open files")):
        assert [*made_ahead(lambda: iter(range(3)))] == [0, 1, 2]


def test_where_no_child_can_be_made_all_is_made_here() -> None:
    """As where a user has as many processes as are allowed; no descriptor stays open."""
    descriptors = Path("/proc/self/fd")
    before = len([*descriptors.iterdir()])
    with mock.patch("os.fork", side_effect=BlockingIOError):
        assert [*made_ahead(lambda: iter(range(3)))] == [0, 1, 2]
    assert len([*descriptors.iterdir()]) == before


def test_a_fault_is_raised_here_after_what_came_before() -> None:
    """A file that cannot be read to its end is refused as if nobody had read ahead."""

    def make() -> Iterator[int]:
        yield 1
        raise ValueError("line 2")

    made = made_ahead(make)
    assert next(made) == 1
    with pytest.raises(ValueError, match="line 2"):
        next(made)


def test_who_stops_early_leaves_no_child() -> None:
    """Interrupted, or refused: the child, which would go on for ever, is ended."""

    def make() -> Iterator[int]:
        while True:
            yield os.getpid()

    with closing(made_ahead(make)) as made:
        child = next(made)
        assert child != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_beside_another_thread_no_child_is_made() -> None:
    """A lock that it holds would stay held in the child."""
    with mock.patch("threading.active_count", return_value=2):
        assert not can_read_ahead()
    with mock.patch("os.sched_getaffinity", return_value={0}):
        assert not can_read_ahead()


HEADER = "reference,action,area,category,workers,effective_on\n"
PROGRAM = """
import os, sys
from registry.intake import delimited
delimited.LONG_BYTES = int(sys.argv[1])
fork = os.fork
def told():
    child = fork()
    if child:
        print("child", file=sys.stderr)
    return child
os.fork = told
from cli.main import run
sys.exit(run(sys.argv[2:]))
"""


def _checked(file: Path, bytes_min: int) -> subprocess.CompletedProcess[str]:
    command = (
        "--store",
        "registry.db",
        "import",
        "batches",
        file.name,
        "--dry-run",
        "--format",
        "json",
    )
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(bytes_min), *command],
        cwd=file.parent,
        env=process_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("spoilt", ["", "SK/x,enrol,16.06,guru,none,2025-01-01", '"SK', "a,,,,,,b"])
def test_a_file_comes_to_the_same(tmp_path: Path, spoilt: str) -> None:
    """The whole program, with a child and without: its report, its plan, its exit code."""
    rows = [f"SK/{number},enrol,16.06,guru,{number + 1},2025-01-01" for number in range(2_500)]
    rows.insert(1_700, spoilt)
    file = tmp_path / "berkas.csv"
    file.write_text(HEADER + "\n".join(rows), encoding="utf-8")
    assert ucj("init", folder=tmp_path).code == 0
    ahead, alone = _checked(file, 0), _checked(file, 1 << 30)
    assert ahead.stderr == "child\n" + alone.stderr
    assert (ahead.returncode, ahead.stdout) == (alone.returncode, alone.stdout)
    assert (ahead.returncode == 0) == (not spoilt)
    assert len(alone.stdout + alone.stderr) > len(file.name)
