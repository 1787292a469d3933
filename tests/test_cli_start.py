"""cli.start: an interruption while the program is loading is no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cli.interruption import heard_later
from tests.program import process_environment

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of a process")

# Interrupts itself at the very import of click: as early as somebody's Ctrl-C may come.
INTERRUPTED = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
{}
"""


def _run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=process_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_interruption_while_loading_is_quiet(tmp_path: Path) -> None:
    """The signal ends the process; loading the program itself so is the negative control."""
    done = _run(INTERRUPTED.format("from cli.start import main; main()"), tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
    control = _run(INTERRUPTED.format("from cli.main import main; main()"), tmp_path)
    assert "Traceback" in control.stderr


def test_an_interruption_that_the_shell_ignores_stays_ignored(tmp_path: Path) -> None:
    """What runs in the background is not ended by somebody's Ctrl-C."""
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" + INTERRUPTED.format(
        "sys.argv[1:] = ['--version']; from cli.start import main; main()"
    )
    done = _run(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_once_loaded_an_interruption_is_said_in_words(tmp_path: Path) -> None:
    """From the program's start on the usual handler is there again: exit 130."""
    code = (
        "import cli.main, os, signal\n"
        "cli.main.ucj.main = lambda **given: os.kill(os.getpid(), signal.SIGINT)\n"
        "from cli.start import main; main()"
    )
    done = _run(code, tmp_path)
    assert (done.returncode, done.stderr) == (130, "Interrupted; nothing was recorded.\n")


def test_an_interruption_while_files_lie_about_is_heard_afterwards() -> None:
    """What was begun is loaded to its end, and then it is raised: whoever made files removes them."""
    done: list[str] = []

    def load() -> None:
        with heard_later():
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            done.append("loaded")
        done.append("went on")

    with pytest.raises(KeyboardInterrupt):
        load()
    assert done == ["loaded"]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
