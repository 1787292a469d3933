"""The generated documents say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
WRITES_A_FILE = {"backup", "completion", "demo", "export", "template"}
"""What shows little on a screen."""

NO_TABLE = (
    "import", "init", "report", "correct", "withdraw", "renew", "retract", "close", "reopen",
    "category",
)  # fmt: skip
"""What answers in sentences, or in a file."""


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["events.md", "commands.md", "screens.md"])
def test_a_generated_page_is_up_to_date(page: str) -> None:
    """`make docs` would change nothing."""
    written = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert written == _generator().PAGES[page](), "run `make docs`"


@pytest.mark.parametrize("width", [80, 100])
def test_every_table_fits_the_terminal(width: int) -> None:
    """No line of an answer is wider than the terminal; a record is made only of one row."""
    from cli.tables import display_width
    from docs.screens import screens

    asked = [each for each in screens(width) if not each[1].startswith(NO_TABLE)]
    assert len(asked) > 20
    for _, command, answer in asked:
        assert answer.out or answer.code, command
        widest = max(map(display_width, answer.out.splitlines()), default=0)
        assert widest <= width, f"{command}\n{answer.out}"


def test_every_command_has_a_screen() -> None:
    """A new command is shown too."""
    import click

    from cli.main import ucj
    from docs.screens import SCENES

    with click.Context(ucj) as context:
        commands = set(ucj.list_commands(context))
    shown = {command.split()[0] for scene in SCENES for command in scene.commands}
    assert commands - shown == WRITES_A_FILE


def test_every_event_has_a_section_with_its_topic() -> None:
    """No event is left out of the page."""
    from registry.events import EVENTS

    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    for event in EVENTS:
        assert f"## {event.__name__}\n" in text
        assert f"`{event.TOPIC}`" in text
