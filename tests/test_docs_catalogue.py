"""The catalogue says what the code says: every sentence translated, no more and no less."""

from __future__ import annotations

import ast
import io
import string
from gettext import GNUTranslations
from pathlib import Path
from typing import Any, Final

import pytest

from docs.catalogue import MO, OF_CLICK, PACKAGES, PO, as_text, brought_up_to_date, catalogue
from docs.catalogue import template as sentences_of_the_code

ROOT: Final = Path(__file__).parent.parent


def _key(message: Any) -> tuple[str | None, str]:
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


def _messages(catalog: Any) -> dict[tuple[str | None, str], Any]:
    return {_key(message): message for message in catalog if message.id}


def _strings(message: Any) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def _braces(text: str) -> set[str]:
    return {name for _text, name, *_rest in string.Formatter().parse(text) if name is not None}


def test_the_catalogue_has_every_sentence_of_the_code_and_no_other() -> None:
    """`make docs` takes in what is new and drops what is gone."""
    code, ours = _messages(sentences_of_the_code()), _messages(catalogue())
    assert len(ours) > 500
    assert code.keys() - ours.keys() == set()
    assert ours.keys() - code.keys() == set()
    assert not catalogue().obsolete
    assert PO.read_bytes() == as_text(brought_up_to_date()), "run `make docs`"


def test_every_sentence_has_a_translation() -> None:
    """None is empty, and none is a guess of a tool's."""
    for key, message in _messages(catalogue()).items():
        assert all(_strings(message)), key
        assert not message.fuzzy, key


def test_a_translation_fills_the_same_braces() -> None:
    """None missing, none of its own; of one and several, those of several."""
    for key, message in _messages(catalogue()).items():
        several = message.id if isinstance(message.id, str) else message.id[1]
        for text in _strings(message):
            assert _braces(text) == _braces(several), key


def test_a_translation_keeps_what_is_typed_and_the_space_around_it() -> None:
    """Commands, options and codes are the same in every language."""
    for key, message in _messages(catalogue()).items():
        one = message.id if isinstance(message.id, str) else message.id[1]
        for text in _strings(message):
            assert [*_typed(one)] == [*_typed(text)], key
            assert len(one) - len(one.lstrip()) == len(text) - len(text.lstrip()), key
            assert len(one) - len(one.rstrip()) == len(text) - len(text.rstrip()), key


def _typed(text: str) -> list[str]:
    """Return the commands quoted in a text, and its options."""
    options = [word.strip("`.,;:()'") for word in text.split() if word.strip("`(").startswith("--")]
    return sorted([*text.split("`")[1::2], *options])


def test_the_compiled_catalogue_is_the_written_one() -> None:
    """The program reads ucj.mo, people write ucj.po."""
    compiled = GNUTranslations(io.BytesIO(MO.read_bytes()))
    for (context, one), message in _messages(catalogue()).items():
        if not isinstance(message.id, str):
            assert compiled.ngettext(one, message.id[1], 2) == message.string[0]
        elif context is not None:
            assert compiled.pgettext(context, one) == message.string
        else:
            assert compiled.gettext(one) == message.string


def test_click_says_what_the_catalogue_translates() -> None:
    """A sentence that click no longer has is dropped."""
    import click

    sources = [
        path.read_text(encoding="utf-8") for path in Path(click.__file__).parent.glob("*.py")
    ]
    said = {
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for words in OF_CLICK:
        assert {words} if isinstance(words, str) else set(words) <= said


# What a person reads is handed to one of these; a sentence there that is not marked stays English.
_SPEAKING: Final = frozenset({"notice", "say", "UsageError", "fail", "Problem", "progress"})
_WORDED: Final = frozenset({"why", "remedy", "what"})


def _unmarked(path: Path) -> list[str]:
    """Return the sentences of a file that are handed to people without a mark."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        given: list[ast.expr] = [each.value for each in node.keywords if each.arg in _WORDED]
        if name == "Column":
            given += node.args[1:2]
        if name in _SPEAKING or name.endswith("Error"):
            given += node.args[:1]
        found += [f"{path.name}:{each.lineno}" for each in given if _is_sentence(each, name)]
    return found


def _is_sentence(node: ast.expr, name: str) -> bool:
    """Whether it is English written in place: two words, or the heading of a column."""
    if name in {"TypeError", "ValueError", "AssertionError", "RuntimeError", "OSError"}:
        return False
    if isinstance(node, ast.IfExp):
        return _is_sentence(node.body, name) or _is_sentence(node.orelse, name)
    if isinstance(node, ast.JoinedStr):
        texts = [each.value for each in node.values if isinstance(each, ast.Constant)]
    elif isinstance(node, ast.Constant):
        texts = [node.value]
    else:
        return False
    words = " ".join(str(text) for text in texts).split()
    words = [word for word in words if sum(map(str.isalpha, word)) > 1]
    return len(words) > 1 or (name == "Column" and bool(words))


NAMES_OF_THINGS: Final = frozenset({"SHA-256", "ucj", "SQLite", "DuckDB"})


@pytest.mark.parametrize("package", PACKAGES)
def test_every_sentence_for_people_is_marked(package: str) -> None:
    """A refusal, a notice, a heading: each goes through `_`, so that it can be translated."""
    lines = {
        place: path.read_text(encoding="utf-8").splitlines()[int(place.split(":")[1]) - 1]
        for path in sorted((ROOT / package).rglob("*.py"))
        for place in _unmarked(path)
    }
    unmarked = {
        place: line
        for place, line in lines.items()
        if not any(f'"{name}"' in line for name in NAMES_OF_THINGS)
    }
    assert unmarked == {}


def test_an_unmarked_sentence_is_found(tmp_path: Path) -> None:
    """The negative control of the test above."""
    path = tmp_path / "x.py"
    path.write_text(
        'notice("two words")\n'
        'raise StoreError(f"no store at {place}", remedy="Make one.")\n'
        'Column("area", "Area", "text")\n'
        'Column("area", _("Area"), "text")\n'
        'raise TypeError("a fault of ours")\n',
        encoding="utf-8",
    )
    assert _unmarked(path) == ["x.py:1", "x.py:2", "x.py:2", "x.py:3"]
