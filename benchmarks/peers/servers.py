"""A database server of one's own: private folder, private socket, no network, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_ACCOUNTS: Final = ("postgres", "mysql", "nobody")
_BESIDE_THE_PATH: Final = ("/usr/sbin", "/usr/local/sbin")


def find_program(name: str, *, folders: Sequence[str] = ()) -> str | None:
    """Return the path of a program: on the path, or where systems keep servers."""
    places = [*folders, os.environ.get("PATH", ""), *_BESIDE_THE_PATH]
    return shutil.which(name, path=os.pathsep.join(places))


def cannot_start() -> str | None:
    """Return why no server can be started here, whatever its programs."""
    if not hasattr(os, "getuid"):
        return "a server on a private socket needs Unix"
    if os.getuid() == 0 and _account() is None:
        return "a server does not run as root, and there is no other account to run it as"
    return None


class PrivateServer:
    """A folder for a server, and the account it runs as: never root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._as_somebody: dict[str, Any] = {}
        if os.getuid() == 0:
            account = _account()
            assert account is not None
            shutil.chown(folder, *account)
            self._as_somebody = {"user": account[0], "group": account[1], "extra_groups": []}

    def run(self, *command: str) -> None:
        """Run a program to its end. Raises: RuntimeError with what it said, where it fails."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self._as_somebody,
        )
        if done.returncode:
            msg = f"{Path(command[0]).name}: {done.stderr.strip() or done.stdout.strip()}"
            raise RuntimeError(msg)

    @contextmanager
    def serving(
        self, *command: str, connect: Callable[[], Any], stop_with: signal.Signals
    ) -> Iterator[Any]:
        """Start the server, give a connection to it, stop it. Raises: RuntimeError."""
        with (self.folder / "log").open("w+b") as said:
            # A session of its own: Ctrl-C stops the measuring, and that stops the server.
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._as_somebody,
            )
            try:
                connection = self._connected(process, connect)
                try:
                    yield connection
                finally:
                    connection.close()
            finally:
                process.send_signal(stop_with)
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _connected(self, process: subprocess.Popen[bytes], connect: Callable[[], Any]) -> Any:  # noqa: ANN401 - of either driver
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                return connect()
            except Exception as error:
                if process.poll() is not None or time.monotonic() > until:
                    said = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
                    msg = f"the server did not start: {said[-500:].strip() or error}"
                    raise RuntimeError(msg) from error
            time.sleep(_POLL_SECONDS)


@contextmanager
def private_server() -> Iterator[PrivateServer]:
    """Give a folder for a server; gone afterwards. Its path is short, as that of a socket must be."""
    folder = Path(tempfile.mkdtemp(prefix="ucj-peer-"))
    try:
        yield PrivateServer(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _account() -> tuple[str, int] | None:
    """Return the first account there is to run servers as, and its group."""
    import pwd

    for name in _ACCOUNTS:
        try:
            return name, pwd.getpwnam(name).pw_gid
        except KeyError:
            continue
    return None
