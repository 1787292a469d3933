"""The --help of a command in the language of the process; commands themselves stay English.

Knows which texts of a command there are, none of what they say.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from typing import Final, TypeVar

import click

from registry.language import Sentence, language, said

AnyCommand = TypeVar("AnyCommand", bound=click.Command)
EXAMPLES: Final = "Examples:"
_KEPT: Final = "\b"  # click's mark of a paragraph that is not filled anew: examples


def in_language(command: AnyCommand) -> AnyCommand:
    """Return the command as it explains itself: itself in English, else a copy."""
    command._help_option = None  # noqa: SLF001 - made by click before the language was heard
    if language() == "en":
        return command
    told = copy.copy(command)
    told.help = None if command.help is None else _said(command.help)
    told.epilog = None if command.epilog is None else _said(command.epilog)
    told.params = [_parameter(each) for each in command.params]
    if isinstance(told, click.Group) and isinstance(command, click.Group):
        told.commands = {name: in_language(each) for name, each in command.commands.items()}
    return told


def texts(command: click.Command) -> Iterator[str]:
    """Yield what a command says of itself, as the catalogue has it, and what is below it."""
    for text in (command.help, command.epilog):
        for paragraph in _paragraphs(text or ""):
            if paragraph.strip() and not paragraph.startswith(_KEPT):
                yield _filled(paragraph)
    for each in command.params:
        if isinstance(each, click.Option) and each.help:
            yield each.help
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        yield from texts(below)


def translated(text: str) -> str:
    """Return one line of help."""
    return str(said(Sentence(text)))


def _parameter(parameter: click.Parameter) -> click.Parameter:
    if not isinstance(parameter, click.Option) or not parameter.help:
        return parameter
    told = copy.copy(parameter)
    told.help = translated(parameter.help)
    return told


def _said(text: str) -> str:
    return "\n\n".join(
        paragraph.replace(EXAMPLES, translated(EXAMPLES), 1)
        if paragraph.startswith(_KEPT)
        else translated(_filled(paragraph))
        for paragraph in _paragraphs(text)
    )


def _paragraphs(text: str) -> list[str]:
    return inspect.cleandoc(text).split("\n\n")


def _filled(paragraph: str) -> str:
    return " ".join(paragraph.split())
