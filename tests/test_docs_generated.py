"""The generated documents say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["events.md", "commands.md"])
def test_a_generated_page_is_up_to_date(page: str) -> None:
    """`make docs` would change nothing."""
    written = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert written == _generator().PAGES[page](), "run `make docs`"


def test_every_event_has_a_section_with_its_topic() -> None:
    """No event is left out of the page."""
    from registry.events import EVENTS

    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    for event in EVENTS:
        assert f"## {event.__name__}\n" in text
        assert f"`{event.TOPIC}`" in text
