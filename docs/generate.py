"""Write the generated documents: `make docs`. A test holds them equal to what the code says.

`docs/events.md` comes from the events' docstrings and fields, `docs/commands.md` from the
commands' own --help, `docs/screens.md` from running them.
"""

from __future__ import annotations

import enum
import inspect
import sys
import types
import typing
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))

WIDTH = 100


def events_page() -> str:
    """Return docs/events.md."""
    from registry import events

    lines = [
        "# The events",
        "",
        "Generated from `registry/events.py` by `make docs`; do not edit.",
        "",
        _prose(events),
        "",
        (
            "Every event also has, beside the keys below, `originator_id` and `originator_version`"
            " (its stream and its place in it, columns of the log) and:"
        ),
        "",
        *_fields(events.Event, leave_out={"originator_id", "originator_version"}),
        "- `class_version` – integer: the form of the event; raised by any change of its keys",
        "",
        _prose(events.Event),
        "",
    ]
    for event in events.EVENTS:
        common = {*events.Event.model_fields}
        lines += [
            f"## {event.__name__}",
            "",
            f"Topic `{event.TOPIC}`, form {event.class_version}. {_prose(event)}",
            "",
            *_fields(event, leave_out=common),
            "",
        ]
    lines += ["# Values inside events", ""]
    for value in (
        events.Cohort,
        events.Line,
        events.RenewedCohort,
        events.Taken,
        events.ClosedChange,
        events.ImportSource,
    ):
        lines += [
            f"## {value.__name__}",
            "",
            _prose(value),
            "",
            *_fields(value, leave_out=set()),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def commands_page() -> str:
    """Return docs/commands.md."""
    import click

    from cli.main import ucj

    lines = ["# The commands", "", "Generated from their `--help` by `make docs`; do not edit."]

    def add(command: click.Command, path: tuple[str, ...]) -> None:
        # The settings of the group itself come down to its commands, as when they are called.
        inherited: dict[str, Any] = {**ucj.context_settings, "max_content_width": WIDTH}
        parent: click.Context | None = None
        for name in path[:-1]:
            parent = click.Context(ucj, info_name=name, parent=parent, **inherited)
        with click.Context(
            command, info_name=path[-1], parent=parent, terminal_width=WIDTH, **inherited
        ) as context:
            shown = command.get_help(context)
            lines.extend(["", f"## {' '.join(path)}", "", "```text", shown.rstrip(), "```"])
            if isinstance(command, click.Group):
                for name in command.list_commands(context):
                    below = command.get_command(context, name)
                    assert below is not None
                    add(below, (*path, name))

    add(ucj, ("ucj",))
    return "\n".join(lines) + "\n"


def screens_page() -> str:
    """Return docs/screens.md."""
    from docs.screens import screens_page

    return screens_page()


PAGES = {"events.md": events_page, "commands.md": commands_page, "screens.md": screens_page}


def _prose(documented: object) -> str:
    return " ".join((inspect.getdoc(documented) or "").split())


def _fields(model: type, *, leave_out: set[str]) -> list[str]:
    hints = typing.get_type_hints(model)
    names = model.model_fields  # type: ignore[attr-defined]
    return [f"- `{name}` – {_kind(hints[name])}" for name in names if name not in leave_out]


def _kind(hint: object) -> str:  # noqa: PLR0911 - a table of kinds
    """Return a type in words of JSON."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _kind(arguments[0])
    if origin in {types.UnionType, typing.Union}:
        inner = [_kind(each) for each in arguments if each is not types.NoneType]
        return " or ".join(inner) + (", or null" if types.NoneType in arguments else "")
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"object of {_kind(arguments[1])}"
    if origin is typing.Literal:
        return "one of " + ", ".join(f"`{each}`" for each in arguments)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "one of " + ", ".join(f"`{each.value}`" for each in hint)
    words = {
        str: "text",
        int: "integer",
        UUID: "UUID",
        date: "day",
        datetime: "instant (UTC, microseconds)",
    }
    if getattr(hint, "__name__", "") == "AwareDatetime":
        hint = datetime
    if hint in words:
        return words[hint]
    assert isinstance(hint, type)
    return f"[{hint.__name__}](#{hint.__name__.lower()})"


def main() -> None:
    """Write every page, and the catalogue of translations."""
    from docs.catalogue import main as write_catalogue

    write_catalogue()
    for page, write in PAGES.items():
        (DOCS / page).write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()
