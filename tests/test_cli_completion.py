"""cli.completion: each shell gets a script, and what it asks is answered."""

from __future__ import annotations

import shutil
import subprocess
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
        ("ucj withdraw SK-1 --area 16.7", "plain,16.71", "plain,16.06"),
    ],
)
def test_what_is_typed_is_completed(
    words: str, expected: str, unexpected: str, tmp_path: Path
) -> None:
    """Commands, options, their values and areas."""
    count = len(words.split(" ")) - 1
    answer = ucj(
        folder=tmp_path,
        environment={
            "_UCJ_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)
        },
    )  # fmt: skip
    assert answer.code == 0, answer
    assert expected in answer.lines
    assert unexpected not in answer.lines
