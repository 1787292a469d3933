"""The harness of the fault tests: starts the program, ends it at a chosen point, counts its calls.

Judges nothing: `tests.plain_store` says what is right.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol

from tests.program import ACTOR, ROOT
from tests.ready_program import ReadyProgram, ready_program

UCJ: Final = (sys.executable, "-m", "cli.main")
WAITS_SECONDS: Final = 60.0
LOOKS_AGAIN_SECONDS: Final = 0.0005
DAC_OVERRIDE, DAC_READ_SEARCH, CAPBSET_DROP = 1, 2, 24  # linux/capability.h, linux/prctl.h

# Drops what lets root read and write anything, then becomes the program.
_ORDINARY: Final = f"""
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
for capability in ({DAC_OVERRIDE}, {DAC_READ_SEARCH}):
    if libc.prctl({CAPBSET_DROP}, capability, 0, 0, 0):
        sys.exit("cannot drop a capability")
os.execv(sys.argv[1], sys.argv[1:])
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended; a negative code is the signal that ended it."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def acknowledged(self) -> bool:
        """Whether the person was told that the file is recorded."""
        return re.search(r"^(already )?recorded at #", self.out, re.MULTILINE) is not None

    def reports(self) -> list[dict[str, Any]]:
        """Return the reports of `--format jsonl` that were printed whole."""
        lines = self.out.splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]


class Process(Protocol):
    """What is asked of a process, whoever started it."""

    pid: int

    def poll(self) -> int | None:
        """Return the code it ended with; None while it runs."""

    def wait(self) -> int:
        """Wait for its end, and return the code."""


class Running:
    """A process that leads a group of its own, its words going to files."""

    def __init__(
        self,
        command: Sequence[str | Path] | Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        limit: Callable[[], None] | None = None,
    ) -> None:
        self._out: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._err: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        settings = environment_of(folder) | dict(environment or {})
        self.started = time.monotonic()
        self.process: Process = subprocess.Popen(
            [str(each) for each in command],
            cwd=folder,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,
            preexec_fn=limit,  # noqa: PLW1509 - sets a limit of the process, nothing else
        )

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def wait_for(self, happened: Callable[[], bool]) -> bool:
        """Look until something is seen; False if the process ended without it."""
        deadline = time.monotonic() + WAITS_SECONDS
        while not happened():
            if not self.is_running():
                return False
            assert time.monotonic() < deadline, "the process neither ended nor got there"
            time.sleep(LOOKS_AGAIN_SECONDS)  # only so as not to take its processor
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and all its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def end(self) -> Ended:
        """Wait for the end and return what was said."""
        code = self.process.wait()
        seconds = time.monotonic() - self.started
        said = []
        for file in (self._out, self._err):
            with file:
                file.seek(0)
                said.append(file.read().decode(errors="replace"))
        return Ended(code, said[0], said[1], seconds)


class RunningForked(Running):
    """A run of the program that is loaded already: the same but for the time that loading takes."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        program: ReadyProgram | None = None,
    ) -> None:
        out, err = tempfile.NamedTemporaryFile(), tempfile.NamedTemporaryFile()  # noqa: SIM115
        self._out, self._err = out, err
        settings = environment_of(folder) | dict(environment or {})
        program = program or ready_program()
        self.started = time.monotonic()
        self.process = program.start(
            [str(each) for each in arguments],
            folder=folder,
            environment=settings,
            out=out.name,
            err=err.name,
        )


def environment_of(folder: Path) -> dict[str, str]:
    """Return the environment of a process: its temporary folder is one of the test's own."""
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    ours = {name: value for name, value in os.environ.items() if not name.startswith("UCJ_")}
    return ours | {"PYTHONPATH": str(ROOT), "UCJ_ACTOR": ACTOR, "TMPDIR": str(temporary)}


def start(*arguments: str | Path, folder: Path, **options: Any) -> Running:
    """Start `ucj` in a folder; its store is registry.db there."""
    if "limit" in options:
        return Running([*UCJ, *arguments], folder=folder, **options)
    return RunningForked(arguments, folder=folder, **options)


def run(*arguments: str | Path, folder: Path, **options: Any) -> Ended:
    """Run `ucj` to its end."""
    return start(*arguments, folder=folder, **options).end()


def make_store(folder: Path) -> Path:
    """Make an empty store in a folder, and return it."""
    folder.mkdir(exist_ok=True)
    made = run("init", folder=folder)
    assert made.code == 0, made.err
    return folder / "registry.db"


def ordinary(command: Sequence[str | Path]) -> list[str | Path]:
    """Return the command such that permissions hold for it, also where root runs the tests."""
    if os.geteuid() != 0:
        return list(command)
    return [sys.executable, "-c", _ORDINARY, *command]


def ordinary_program() -> ReadyProgram:
    """Return the loaded program as an ordinary user's."""
    return ready_program(tuple(ordinary([sys.executable])))


def sabotaged(patch: str) -> list[str]:
    """Return the command of the program with a protection switched off: a negative control."""
    return [sys.executable, "-c", f"{patch}\nfrom cli.main import main\nmain()"]


def seed_of(test: str) -> random.Random:
    """Return a generator with a fresh seed, printed so that a failure can be repeated."""
    seed = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"{test}: FAULT_SEED={seed}")  # noqa: T201 - shown where the test fails
    return random.Random(seed)


def journal_of(store: Path) -> Path:
    """Return where SQLite keeps what an open transaction would undo, or has not yet written."""
    wal = store.with_name(store.name + "-wal")
    return wal if wal.exists() else store.with_name(store.name + "-journal")


def mark_of(file: Path) -> tuple[int, int] | None:
    """Return what changes when a file is written to or made anew; None where there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return (found.st_ino, found.st_mtime_ns)


# --- strace --------------------------------------------------------------------------------------

HAS_STRACE: Final = shutil.which("strace") is not None
# Not --seccomp-bpf: with it a kill is never delivered (strace 6.1).
_STRACE: Final = ("strace", "-f", "-qq", "-o")
NO_STRACE: Final = "strace is not installed: faults at the Nth call of the system are not tried"


def traced(
    command: Sequence[str | Path], call: str, fault: str, number: int, *, log: Path | None = None
) -> list[str | Path]:
    """Return the command such that the Nth call of the system meets a fault.

    strace dies as its process does, so that a negative code means that a kill was met; an error
    that was injected is marked in the log.
    """
    injection = f"inject={call}:{fault}:when={number}"
    return [*_STRACE, log or os.devnull, "-e", f"trace={call}", "-e", injection, *command]


def counted(command: Sequence[str | Path], log: Path, calls: Sequence[str]) -> list[str | Path]:
    """Return the command such that its calls of the system are listed in a file."""
    return [*_STRACE, log, "-e", f"trace={','.join(calls)}", *command]


def places_in(log: Path, calls: Sequence[str], *, only: Mapping[str, str]) -> dict[str, list[int]]:
    """Return, for each call, which of those of the first process they are: 1 is its first.

    `only` leaves out the calls in which a pattern is not found.
    """
    lines = log.read_text(errors="replace").splitlines()
    first = lines[0].split()[0]
    counts = dict.fromkeys(calls, 0)
    places: dict[str, list[int]] = {call: [] for call in calls}
    for line in lines:
        match = re.match(r"(\d+) +(\w+)\(", line)
        if match is None or match[1] != first:
            continue
        call = match[2]
        counts[call] += 1
        if re.search(only.get(call, ""), line):
            places[call].append(counts[call])
    return places
