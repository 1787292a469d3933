"""The program `ucj`, loaded once and forked for each run, so that a fault test need not load it anew.

Each run is a process that leads a group of its own, with streams that are files, an environment and
a folder of its own; a signal ends it as any other. What comes before the program's first line, the
loading of Python and of modules, is all it lacks. Tests of that start Python (`tests.faults`).
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.program import ROOT

CODE_STILL_RUNNING: Final = "running"

# One request a line: start a run, look whether it has ended, wait until it has. The answers go to
# a descriptor of their own, which no run has.
_SERVER: Final = """
import importlib, json, os, pkgutil, sys, tempfile
import cli, projections, registry
for package in (cli, projections, registry):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
from cli.main import main

def program(request):
    os.setsid()
    os.close(ANSWERS)
    for number, path in ((0, os.devnull), (1, request["out"]), (2, request["err"])):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    tempfile.tempdir = None
    sys.argv = ["ucj", *request["arguments"]]
    main()

ANSWERS = int(sys.argv[1])
answers = os.fdopen(os.dup(ANSWERS), "w", buffering=1)
os.set_inheritable(ANSWERS, False)
ended = {}
while line := sys.stdin.readline():
    request = json.loads(line)
    if request["what"] == "start":
        child = os.fork()
        if child == 0:
            answers.close()
            program(request)
        print(child, file=answers)
        continue
    pid = request["pid"]
    if pid not in ended:
        found, status = os.waitpid(pid, os.WNOHANG if request["what"] == "look" else 0)
        if found:
            ended[pid] = os.waitstatus_to_exitcode(status)
    print(ended.get(pid, "running"), file=answers)
"""


class ReadyProgram:
    """The loaded program, waiting to be forked; ends with the process that started it."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        answers, theirs = os.pipe()
        self._server = subprocess.Popen(
            [*map(str, command), "-c", _SERVER, str(theirs)],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            pass_fds=[theirs],
            text=True,
        )
        os.close(theirs)
        self._answers = os.fdopen(answers)
        atexit.register(self.stop)

    def start(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        out: str,
        err: str,
    ) -> ForkedProcess:
        """Fork a run of the program; its words go to the files `out` and `err`."""
        pid = self.ask(
            what="start",
            arguments=list(arguments),
            folder=str(folder),
            environment=dict(environment),
            out=out,
            err=err,
        )
        return ForkedProcess(self, int(pid))

    def ask(self, **request: Any) -> str:
        """Return the answer to one request."""
        assert self._server.stdin is not None
        print(json.dumps(request), file=self._server.stdin, flush=True)
        answer = self._answers.readline().strip()
        assert answer, "the ready program is gone"
        return answer

    def stop(self) -> None:
        """End it, when nothing is to be started any more."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()
        self._answers.close()


class ForkedProcess:
    """A run of the ready program; what tests use of `subprocess.Popen`."""

    def __init__(self, program: ReadyProgram, pid: int) -> None:
        self.pid = pid
        self._program = program

    def poll(self) -> int | None:
        """Return the code with which it ended, a negative signal where one did; None if it runs."""
        answer = self._program.ask(what="look", pid=self.pid)
        return None if answer == CODE_STILL_RUNNING else int(answer)

    def wait(self) -> int:
        """Wait for its end, and return the code."""
        return int(self._program.ask(what="wait", pid=self.pid))


@cache
def ready_program(command: tuple[str | Path, ...] = (sys.executable,)) -> ReadyProgram:
    """Return the loaded program of this test process, started by this command."""
    return ReadyProgram(command)
