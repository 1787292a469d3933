"""Every dependency has a reason, a range and a pin, and the pins come from the public index only."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parent.parent
REASON_LENGTH_MIN: Final = 10
PIN: Final = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][0-9A-Za-z.!+]*( ; [^/\\@]+)?")
TABLE_ROW: Final = re.compile(r"\| `(?P<name>[^`]+)` \| `(?P<range>[^`]+)` \|(?P<reasons>.*)\|")


@cache
def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def _declared(extra: str | None) -> dict[str, Requirement]:
    """Return what pyproject.toml asks for, by name: to run (None) or of an extra."""
    project = _toml("pyproject.toml")["project"]
    texts = project["optional-dependencies"][extra] if extra else project["dependencies"]
    requirements = [Requirement(text) for text in texts]
    return {canonicalize_name(one.name): one for one in requirements}


def _all_declared() -> dict[str, Requirement]:
    everything = _declared(None)
    for extra in _toml("pyproject.toml")["project"]["optional-dependencies"]:
        everything |= _declared(extra)
    return everything


def _documented(text: str, heading: str) -> dict[str, re.Match[str]]:
    """Return the rows of the table under a heading of docs/dependencies.md, by name."""
    section = text.split(heading, 1)[1].split("\n## ", 1)[0]
    return {canonicalize_name(row["name"]): row for row in TABLE_ROW.finditer(section)}


def _pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def _foreign_lines(constraints: str) -> list[str]:
    """Return the lines that are anything but `name==version` and a marker."""
    return [line for line in constraints.splitlines() if not PIN.fullmatch(line)]


def _foreign_places(lock: str) -> set[str]:
    """Return every place the lock would fetch from that is not the public index."""
    places = re.findall(r'\b(?:registry|url|path|git|directory|editable|virtual) = "([^"]*)"', lock)
    public = ("https://pypi.org/simple", "https://files.pythonhosted.org/")
    return {place for place in places if place != "." and not place.startswith(public)}


@pytest.mark.parametrize(
    ("extra", "heading"),
    [(None, "## To run"), ("dev", "## To work on it"), ("peers", "## To measure beside")],
)
def test_every_dependency_has_its_reason_and_no_reason_is_left_over(
    extra: str | None, heading: str
) -> None:
    """The table of docs/dependencies.md and the list of pyproject.toml name the same ranges."""
    text = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    rows = _documented(text, heading)
    declared = _declared(extra)
    assert set(rows) == set(declared)
    for name, row in rows.items():
        assert Requirement(f"{name}{row['range']}").specifier == declared[name].specifier
        for reason in row["reasons"].split("|"):
            assert len(reason.strip()) >= REASON_LENGTH_MIN, f"{name} has no reason"


def test_the_other_extras_are_named_too() -> None:
    """An extra other than dev has a section of its own name in docs/dependencies.md."""
    text = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    for extra in _toml("pyproject.toml")["project"]["optional-dependencies"]:
        assert f".[{extra}]" in text


@pytest.mark.parametrize("name", sorted(_all_declared()))
def test_the_pin_lies_within_the_range(name: str) -> None:
    """constraints.txt pins every declared package, at a version its range allows."""
    pins = _pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert pins[name] in _all_declared()[name].specifier


def test_the_build_is_pinned_within_its_own_range() -> None:
    """What the wheel is built with is pinned, and the extra asks for the same range."""
    build = [Requirement(text) for text in _toml("pyproject.toml")["build-system"]["requires"]]
    assert build
    for one in build:
        assert _all_declared()[canonicalize_name(one.name)].specifier == one.specifier


def test_the_lock_was_made_from_this_pyproject() -> None:
    """uv.lock repeats the ranges of pyproject.toml: no change was made without `make lock`."""
    (ours,) = [one for one in _toml("uv.lock")["package"] if one["name"] == "ucj"]
    locked = {
        (one["name"], Requirement(f"{one['name']}{one['specifier']}").specifier)
        for one in ours["metadata"]["requires-dist"]
    }
    assert locked == {(name, one.specifier) for name, one in _all_declared().items()}


def test_the_constraints_are_the_lock() -> None:
    """constraints.txt and uv.lock pin the same packages at the same versions."""
    locked = {
        one["name"]: one["version"] for one in _toml("uv.lock")["package"] if "version" in one
    }
    assert _pins((ROOT / "constraints.txt").read_text(encoding="utf-8")) == locked


def test_nothing_comes_from_one_machine() -> None:
    """Neither list names a path, a file: address or an index other than the public one."""
    assert _foreign_lines((ROOT / "constraints.txt").read_text(encoding="utf-8")) == []
    assert _foreign_places((ROOT / "uv.lock").read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "line",
    [
        "click @ file:///srv/wheels/click-8.5.1-py3-none-any.whl",
        "./wheels/click-8.5.1-py3-none-any.whl",
        "--find-links /srv/wheels",
        "--extra-index-url https://example.org/simple",
        "-e .",
        "click>=8",
        "click==8.5.1 ; file:///srv",
    ],
)
def test_a_line_from_one_machine_would_be_seen(line: str) -> None:
    """Negative control: each such line is told apart from a pin."""
    assert _foreign_lines(f"attrs==26.1.0\n{line}\n") == [line]


@pytest.mark.parametrize(
    "source",
    [
        'source = { registry = "/srv/wheels" }',
        'source = { registry = "https://example.org/simple" }',
        'source = { path = "../click.whl" }',
        'sdist = { url = "file:///srv/click.tar.gz" }',
    ],
)
def test_a_place_on_one_machine_would_be_seen(source: str) -> None:
    """Negative control: each such source of a lock is told apart from the public index."""
    assert _foreign_places(f'source = {{ registry = "https://pypi.org/simple" }}\n{source}\n')
