"""The program `ucj` for tests: run in this process, or as one of its own, and what it answered.

`ucj(...)` runs `cli.main.run` with the streams, folder, environment and terminal that a test says;
`ucj_process(...)` starts Python. Both return an `Answer`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

ROOT: Final = Path(__file__).resolve().parent.parent
EXAMPLE: Final = ROOT / "examples" / "sumsel-2025"
ACTOR: Final = "siti"


@dataclass(frozen=True, slots=True)
class Answer:
    """The exit code and both streams of one run."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines on stdout."""
        return self.out.splitlines()

    def json(self) -> Any:
        """Return stdout read as JSON."""
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"[exit {self.code}]\n{self.out}\n--- stderr\n{self.err}"


class _Stream(io.TextIOWrapper):
    """A stream in memory with bytes below it, as sys.stdout has; a terminal where it is said."""

    def __init__(self, content: bytes = b"", *, terminal: bool = False) -> None:
        self.bytes = io.BytesIO(content)
        self._terminal = terminal
        super().__init__(self.bytes, encoding="utf-8", newline="", write_through=True)

    def isatty(self) -> bool:
        return self._terminal

    def text(self) -> str:
        self.flush()
        return self.bytes.getvalue().decode()


def ucj(
    *arguments: str | Path,
    folder: Path,
    stdin: bytes = b"",
    terminal: bool = False,
    columns: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Answer:
    """Run `ucj` in this process, standing in `folder`; the store is registry.db there if not said.

    `terminal` makes stdout and stderr terminals, `columns` wide.
    """
    from cli.main import run

    out, err = _Stream(terminal=terminal), _Stream(terminal=terminal)
    settings = _environment(columns, environment)
    with (
        mock.patch.dict(os.environ, settings),
        mock.patch.object(sys, "stdin", _Stream(stdin)),
        mock.patch.object(sys, "stdout", out),
        mock.patch.object(sys, "stderr", err),
        contextlib.chdir(folder),
    ):
        try:
            code = run([str(each) for each in arguments])
        except SystemExit as exit_:  # --help and --version end so
            code = int(exit_.code or 0)
    return Answer(code, out.text(), err.text())


def ucj_process(
    *arguments: str | Path,
    folder: Path,
    stdin: bytes = b"",
    columns: int | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> Answer:
    """Run `ucj` as a process of its own, its streams pipes."""
    command = [sys.executable, "-m", "cli.main", *map(str, arguments)]
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        cwd=folder,
        env=process_environment(**_environment(columns, environment)),
        timeout=timeout,
        check=False,
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def process_environment(**more: str) -> dict[str, str]:
    """Return the environment in which a process finds the program and somebody who records."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "UCJ_ACTOR": ACTOR, **more}


def head(store: Path) -> int:
    """Return the position of a store's last event."""
    from registry.storage.log import open_log

    with contextlib.closing(open_log(store)) as log:
        return log.head()


@contextlib.contextmanager
def nothing_recorded(store: Path) -> Iterator[None]:
    """Hold the test to it: the log ends where it ended, and its events are the same."""
    before = _events(store)
    yield
    assert _events(store) == before, "something was recorded"


def _events(store: Path) -> list[Any]:
    from registry.storage.log import open_log

    with contextlib.closing(open_log(store)) as log:
        return list(log.rows())


def _environment(columns: int | None, more: Mapping[str, str] | None) -> dict[str, str]:
    settings = {"UCJ_ACTOR": ACTOR, "TERM": "xterm"}
    if columns is not None:
        settings["COLUMNS"] = str(columns)
    return settings | dict(more or {})
