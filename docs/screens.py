"""What `ucj` shows: real output of every kind of question, for `docs/screens.md`.

Runs the program as a person would, on a terminal of 80 columns, with the clock stopped. What is
random (a store's id, where it lies) is masked, nothing else.
"""

from __future__ import annotations

import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import time_machine

from tests.program import Answer, ucj

ROOT: Final = Path(__file__).resolve().parent.parent
WIDTH: Final = 80
EXAMPLE: Final = "examples/sumsel-2025"
AT_FIRST: Final = datetime(2025, 9, 26, 2, tzinfo=UTC)
A_MONTH_LATER: Final = datetime(2025, 10, 24, 2, tzinfo=UTC)
WRONG: Final = """\
nomor_sk,aksi,kab/kota,kategori,jumlah,TMT,sumber dana
400/9/2025,enrol,Musi Banyuasin,pekerja rentan,1.500,16/07/2025,APBD Kabupaten
400/10/2025,enrol,Musi Banyuasim,marbot,12o,31/02/2025,APBD Kabupaten
400/11/2025,nonaktif,1606,guru,1.5,2025-07,
"""
LATER: Final = """\
reference,action,area,category,workers,effective_on,covered_until,of_batch,funding,reason
400/1/2025,enrol,16.06,marbot,1.200,2025-01-01,2025-12-31,,apbd-kabupaten,
400/2/2025,enrol,16.06,petani,2.400,2025-03-01,2026-02-28,,dbh-sawit,
400/3/2025,deactivate,16.06,marbot,60,2025-08-01,,400/1/2025,,moved
"""
CORRECTED: Final = """\
reference,action,area,category,workers,effective_on,covered_until,funding
400/2/2025,enrol,16.06,petani,2.398,2025-03-01,2026-02-28,dbh-sawit
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """A heading, the moment, and the commands that are run then."""

    title: str
    at: datetime
    commands: tuple[str, ...]


SCENES: Final = (
    Scene(
        "An admin imports",
        AT_FIRST,
        (
            "init",
            f"import potentials {EXAMPLE}/potentials.csv --locale en",
            f"import batches {EXAMPLE}/batches.csv --locale en --dry-run",
            f"import batches {EXAMPLE}/batches.csv --locale en",
            f"import targets {EXAMPLE}/targets.csv --locale en",
            f"import figures {EXAMPLE}/figures.csv --locale en",
            "import batches wrong.csv",
        ),
    ),
    Scene(
        "A month later",
        A_MONTH_LATER,
        (
            "import batches later.csv",
            "withdraw 400/1/2025 --area 16.06 --reason 'salah kabupaten'",
            "correct 400/2/2025 --area 16.06 two.csv --reason 'dua nama ganda'",
            "renew 400/1/2025 --area 16.06 --until 2026-12-31 --as 400/9/2025",
            "retract figure @18 --reason 'salah kutip'",
            "category add tukang-sayur --label-en 'vegetable sellers'",
            "status",
            "rebuild --check",
        ),
    ),
    Scene(
        "An analyst asks",
        A_MONTH_LATER,
        (
            "coverage 16.06 16.09 --on 2025-07",
            "coverage 16 --on 2025-07",
            "coverage 16.06 --on 2025-07 --by category",
            "coverage ID --on 2025-07 --by province",
            "timeline 16.06",
            "targets --on 2025-09-26",
            "forecast 16.06 --until 2026-03",
            'sql "SELECT kind, sum(workers) AS workers FROM entries GROUP BY kind ORDER BY kind"',
        ),
    ),
    Scene(
        "An auditor traces",
        A_MONTH_LATER,
        (
            "trace 16.06 --from 2024-12 --to 2025-07",
            "trace 16.06 --from 2024-12 --to 2025-07 --by category",
            "trace 16.06 --from 2024-12 --to 2025-07 --by month",
            "trace 16.06 --from 2024-12 --to 2025-07 --by batch",
            "reconcile 16.06",
            "reconcile 15.03",
            "history 16.06",
            "show PAKE-KELAMBU-2025",
            "show @6",
            "source PAKE-KELAMBU-2025",
            "revisions 16.06 --on 2025-07-31",
            "revisions 16.06 --triangle --from 2025-07",
            "close 16.06 --through 2025-07-31",
            "withdraw 400/2/2025 --area 16.06 --reason 'salah kabupaten'",
            "reopen 16.06 --from 2025-07-01 --reason 'koreksi BPS'",
            "report 16.06 --from 2024-12 --to 2025-07 --output muba.md",
        ),
    ),
    Scene(
        "Dalam bahasa Indonesia",
        A_MONTH_LATER,
        (
            "--lang id import batches wrong.csv",
            "--lang id coverage 16 --on 2025-07",
            "--lang id timeline 16.06",
            "--lang id trace 16.06 --from 2024-12 --to 2025-07",
            "--lang id show PAKE-KELAMBU-2025",
        ),
    ),
)


def screens_page() -> str:
    """Return docs/screens.md."""
    lines = [
        "# What it shows",
        "",
        f"Real output on a terminal of {WIDTH} columns, made by `make docs`; do not edit.",
        "A test makes it again and compares. `?` stands for what differs from store to store.",
    ]
    for scene, command, answer in screens(WIDTH):
        if command == scene.commands[0]:
            lines += ["", f"## {scene.title}"]
        said = (answer.out + answer.err).splitlines()
        lines += ["", "```console", f"$ ucj {command}", *map(str.rstrip, said), "```"]
        if answer.written:
            lines += ["", "```markdown", *answer.written.splitlines(), "```"]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Screen(Answer):
    """What a command answers, and the text it wrote beside that."""

    written: str = ""


def screens(width: int, language: str = "en") -> Iterator[tuple[Scene, str, Screen]]:
    """Yield each command of each scene, in order, with what it answers on a terminal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        shutil.copytree(ROOT / "examples", folder / "examples")
        (folder / "wrong.csv").write_text(WRONG, encoding="utf-8")
        (folder / "later.csv").write_text(LATER, encoding="utf-8")
        (folder / "two.csv").write_text(CORRECTED, encoding="utf-8")
        for scene in SCENES:
            with time_machine.travel(scene.at, tick=False):
                for command in scene.commands:
                    yield scene, command, _answer(command, folder, width, language)


def _answer(command: str, folder: Path, width: int, language: str) -> Screen:
    environment = {"UCJ_ACTOR": "sari", "NO_COLOR": "1", "UCJ_LANG": language}
    words = shlex.split(command)
    answer = ucj(*words, folder=folder, terminal=True, columns=width, environment=environment)
    out, err, written = (
        _masked(each, folder) for each in (answer.out, answer.err, _written(words, folder))
    )
    return Screen(answer.code, out, err, written)


def _written(words: list[str], folder: Path) -> str:
    """Return what a command wrote into the file of its --output."""
    if "--output" not in words:
        return ""
    return (folder / words[words.index("--output") + 1]).read_text(encoding="utf-8")


def _masked(text: str, folder: Path) -> str:
    """Put `?` for what is random; of a progress bar, leave what it leaves."""
    lines = [line.rpartition("\r")[2] for line in text.split("\n")]
    return re.sub(r"\b[0-9a-f]{32}\b", "?" * 8, "\n".join(lines).replace(str(folder), "?"))
