"""The README's stories run: every command is executed, in order, and says what is printed there.

A story is a fenced block of kind `console`: lines after `$ ` are commands, the others what they
print (stdout and stderr together). `…` stands for any text on one line, a line `…` alone for any
lines.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/json.md", "docs/glossary.md", "docs/architecture.md")
SPAN = re.compile(r"`(ucj [^`]+)`")
STORY = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _steps(text: str) -> list[tuple[str, str]]:
    steps: list[tuple[str, str]] = []
    for block in STORY.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            steps.append((command, printed.rstrip("\n")))
    return steps


def _pattern(printed: str) -> re.Pattern[str]:
    lines = [
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*?") + r"[ ]*\n"
        for line in printed.splitlines()
    ]
    return re.compile("".join(lines))


def _run(command: str, folder: Path) -> str:
    words = shlex.split(command)
    assert words[0] == "ucj", f"a story runs ucj only: {command}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "UCJ_ACTOR": "sari", "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *words[1:]],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout


def test_the_stories_of_the_readme_run(tmp_path: Path) -> None:
    """Each command prints what the README says it prints, in a folder with the example in it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    steps = _steps((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(steps) >= 6
    for command, printed in steps:
        said = _run(command, tmp_path)
        assert _pattern(printed).fullmatch(said.rstrip("\n") + "\n"), (
            f"$ {command}\n--- printed\n{said}\n--- README\n{printed}"
        )


def _mistakes(span: str) -> list[str]:
    """Return what is wrong with a command in prose, of which only the beginning may be said.

    A word in capitals or `…` stands for what somebody would type.
    """
    import click

    from cli.main import ucj

    words = shlex.split(span)[1:]
    command: click.Command = ucj
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        with click.Context(command) as context:
            any_of_them = command.list_commands(context)[0]
            below = command.get_command(context, any_of_them if words[0].isupper() else words[0])
        if below is None:
            return [f"no command {words[0]}"]
        command, words = below, words[1:]
    options = {
        name: each
        for each in (*ucj.params, *command.params)
        if isinstance(each, click.Option)
        for name in each.opts
    }
    mistakes = []
    for place, word in enumerate(words):
        if not word.startswith("--"):
            continue
        option = options.get(word)
        following = words[place + 1 : place + 2]
        if option is None:
            mistakes.append(f"no option {word}")
        elif not option.is_flag and (not following or following[0].startswith("--")):
            mistakes.append(f"{word} needs a value")
    return mistakes


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_in_prose_are_ones(page: str) -> None:
    """Each command that a page names exists, with the options and values it is given."""
    prose = STORY.sub("", (ROOT / page).read_text(encoding="utf-8"))
    found = {span: _mistakes(span) for span in SPAN.findall(prose)}
    assert {span: wrong for span, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    ("span", "wrong"),
    [
        ("ucj source … --file --output FILE", ["--file needs a value"]),
        ("ucj source … --file", ["--file needs a value"]),
        ("ucj source … --files FILE", ["no option --files"]),
        ("ucj traced 16.06", ["no command traced"]),
        ("ucj import batches x.csv --dry-run", []),
    ],
)
def test_a_wrong_command_in_prose_is_seen(span: str, wrong: list[str]) -> None:
    """Negative control."""
    assert _mistakes(span) == wrong


@pytest.mark.parametrize(
    ("printed", "said", "fits"),
    [
        ("a … c", "a b c\n", True),
        ("a … c", "a b d\n", False),
        ("a\n…\nd", "a\nb\nc\nd\n", True),
        ("88,958", "88,959\n", False),
    ],
)
def test_the_wildcard_covers_no_difference_that_matters(
    printed: str, said: str, fits: bool
) -> None:
    """Negative control: a wrong figure beside a wildcard does not pass."""
    assert (_pattern(printed).fullmatch(said) is not None) is fits


def test_the_readme_is_short() -> None:
    """Under 200 lines."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 200
