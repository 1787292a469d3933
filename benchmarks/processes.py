"""Whole processes, as a person starts them: what they answered, and how much memory they took."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import IO, Final

UCJ: Final = (sys.executable, "-m", "cli.main")


@dataclass(frozen=True, slots=True)
class Finished:
    """What a process printed, how it ended, and the most memory it held (where known)."""

    code: int
    printed: str
    said: str
    memory_mib_max: int | None


def run(*command: str, environment: dict[str, str]) -> Finished:
    """Run a process to its end; raises where it fails."""
    finished = wait(start(*command, environment=environment))
    assert finished.code == 0, finished.said
    return finished


@dataclass(frozen=True, slots=True)
class Started:
    """A running process and the files that hold what it says."""

    process: subprocess.Popen[bytes]
    printed: IO[bytes]
    said: IO[bytes]

    def has_ended(self) -> bool:
        """Whether the process is over; it still has to be waited for."""
        if not hasattr(os, "waitid"):
            return self.process.poll() is not None
        # Left as it is, so that `wait` hears how much memory it took.
        state = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return state is not None


def start(*command: str, environment: dict[str, str]) -> Started:
    """Start a process; its words go to files, so that no full pipe holds it up."""
    printed, said = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=said
    )
    return Started(process, printed, said)


def wait(started: Started) -> Finished:
    """Wait for the end of a process."""
    memory: int | None = None
    if hasattr(os, "wait4"):
        _, status, usage = os.wait4(started.process.pid, 0)
        started.process.returncode = code = os.waitstatus_to_exitcode(status)
        memory = usage.ru_maxrss // (1 << 10 if sys.platform == "linux" else 1 << 20)
    else:
        code = started.process.wait()
    texts = []
    for file in (started.printed, started.said):
        with file:
            file.seek(0)
            texts.append(file.read().decode())
    return Finished(code, texts[0], texts[1], memory)
