"""Whole processes, as a person starts them: what they answered, and how much memory they took."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import IO, Final

UCJ: Final = (sys.executable, "-m", "cli.start")

# The system counts the memory of whoever starts a process as the new one's own, until it has become
# another program: so a small one starts it, and says what it took.
_WEIGHER: Final = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss // (1 << 10 if sys.platform == "linux" else 1 << 20)))
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a process printed, how it ended, and the most memory it held if it was weighed."""

    code: int
    printed: str
    said: str
    memory_mib_max: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A running process and the files that hold what it says."""

    process: subprocess.Popen[bytes]
    printed: IO[bytes]
    said: IO[bytes]

    def has_ended(self) -> bool:
        """Whether the process is over."""
        return self.process.poll() is not None

    def wait(self) -> Finished:
        """Wait for its end; raises where it failed."""
        code = self.process.wait()
        texts = []
        for file in (self.printed, self.said):
            with file:
                file.seek(0)
                texts.append(file.read().decode())
        assert code == 0, texts[1]
        return Finished(code, texts[0], texts[1])


def start(*command: str, environment: dict[str, str]) -> Started:
    """Start a process; its words go to files, so that no full pipe holds it up."""
    printed, said = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=said
    )
    return Started(process, printed, said)


def run(*command: str, environment: dict[str, str]) -> Finished:
    """Run a process to its end; raises where it fails."""
    return start(*command, environment=environment).wait()


def run_weighed(*command: str, environment: dict[str, str]) -> Finished:
    """As `run`, and tell how much memory it took at most, where the system does."""
    if sys.platform == "win32":
        return run(*command, environment=environment)
    with tempfile.NamedTemporaryFile() as weight:
        weigher = (sys.executable, "-S", "-c", _WEIGHER, weight.name)
        finished = run(*weigher, *command, environment=environment)
        memory_mib_max = int(weight.read())
    return Finished(finished.code, finished.printed, finished.said, memory_mib_max)
