"""cli.completion: each shell gets a script, and what it asks is answered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import ucj


@pytest.mark.parametrize(
    ("shell", "words"),
    [("bash", "complete -o nosort"), ("zsh", "#compdef ucj"), ("fish", "complete --no-files")],
)
def test_each_shell_has_its_script(shell: str, words: str, tmp_path: Path) -> None:
    """The script completes `ucj` and asks it through _UCJ_COMPLETE; the shell is not started."""
    answer = ucj("completion", shell, folder=tmp_path, environment={"PATH": ""})
    assert (answer.code, answer.err) == (0, "")
    assert words in answer.out
    assert f"_UCJ_COMPLETE={shell}_complete" in answer.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_what_the_shell_can_read(shell: str, tmp_path: Path) -> None:
    """The shell itself, where it is installed, finds no error in it."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(ucj("completion", shell, folder=tmp_path).out, encoding="utf-8")
    subprocess.run([shell, "-n", str(script)], check=True, capture_output=True)


def test_another_shell_is_a_usage_error(tmp_path: Path) -> None:
    """Exit code 2, naming those there are."""
    answer = ucj("completion", "powershell", folder=tmp_path)
    assert answer.code == 2
    assert "'bash', 'zsh', 'fish'" in answer.err


@pytest.mark.parametrize(
    ("words", "expected", "unexpected"),
    [
        ("ucj im", "plain,import", "plain,init"),
        ("ucj import ba", "plain,batches", "plain,targets"),
        ("ucj import batches --loc", "plain,--locale", "plain,--sheet"),
        ("ucj import batches --locale ", "plain,en", "plain,--sheet"),
        ("ucj template f", "plain,figures", "plain,targets"),
        ("ucj coverage 16.0", "plain,16.06", "plain,17.01"),
        ("ucj coverage musi", "plain,16.06", "plain,17.01"),
        ("ucj reconcile 16.0", "plain,16.06", "plain,17.01"),
        ("ucj reconcile --settle --category mar", "plain,marbot", "plain,guru"),
        ("ucj withdraw SK-1 --area 16.7", "plain,16.71", "plain,16.06"),
        ("ucj coverage --category mar", "plain,marbot", "plain,guru"),
        ("ucj renew SK-1 --category guru", "plain,guru-ngaji", "plain,marbot"),
    ],
)
def test_what_is_typed_is_completed(
    words: str, expected: str, unexpected: str, tmp_path: Path
) -> None:
    """Commands, options, their values, areas and categories; no store is needed."""
    offered = completed(words, tmp_path)
    assert expected in offered
    assert unexpected not in offered


def completed(words: str, folder: Path, **environment: str) -> list[str]:
    """Return what a shell is offered for the last of the words."""
    asked = {
        "_UCJ_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    answer = ucj(folder=folder, environment=asked | environment)
    assert (answer.code, answer.err) == (0, ""), answer
    return answer.lines


def test_categories_of_the_store_are_offered(tmp_path: Path) -> None:
    """Those added to it too, wherever the store is named; none of a file that is no store."""
    (tmp_path / "no.db").write_text("dear all", encoding="utf-8")
    for arguments in (["init"], ["category", "add", "pelaut-sungai"]):
        assert ucj("--store", "x.db", *arguments, folder=tmp_path).code == 0
    added = ["plain,pelaut-sungai"]
    assert completed("ucj --store x.db coverage --category pelau", tmp_path) == added
    assert completed("ucj coverage --store x.db --category pelau", tmp_path) == added
    assert completed("ucj coverage --category pelau", tmp_path, UCJ_STORE="x.db") == added
    for other in ("no.db", "missing.db", "postgresql://x"):
        assert completed(f"ucj coverage --store {other} --category pelau", tmp_path) == [""]
        assert completed(f"ucj coverage --store {other} --category marb", tmp_path) == [
            "plain,marbot"
        ]


def test_the_name_of_a_command_is_completed_without_loading_it() -> None:
    """At each press of the tab key: neither a command's module nor an engine is imported."""
    script = (
        "import sys; sys.argv[0] = 'ucj'\n"
        "import atexit, cli.start\n"
        "loaded = {'cli.analyst', 'cli.importing', 'cli.options', 'duckdb'}\n"
        "atexit.register(lambda: print(sorted(loaded & sys.modules.keys())))\n"
        "cli.start.main()"
    )
    asked = {"_UCJ_COMPLETE": "bash_complete", "COMP_WORDS": "ucj co", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "plain,correct", "plain,coverage", "plain,completion", "[]",
    ]  # fmt: skip
