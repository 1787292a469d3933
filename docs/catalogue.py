"""The catalogue of Indonesian: what the code says, gathered by Babel, beside its translation.

`make docs` (or `python docs/catalogue.py`) takes new sentences of the code into `ucj.po`, drops those
that are gone, and compiles `ucj.mo`, which is what the program reads. A test holds all three equal.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

FOLDER: Final = ROOT / "registry" / "locale" / "id" / "LC_MESSAGES"
PO: Final = FOLDER / "ucj.po"
MO: Final = FOLDER / "ucj.mo"
PACKAGES: Final = ("registry", "projections", "cli")
KEYWORDS: Final[dict[str, Any]] = {
    "_": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
# What click says to people who use our commands; it asks gettext itself (cli/speech.py).
OF_CLICK: Final[tuple[str | tuple[str, str], ...]] = (
    "Usage:",
    "Options",
    "Commands",
    "Show this message and exit.",
    "Show the version and exit.",
    "required",
    "env var: {var}",
    "default: {default}",
    "Error: {message}",
    "Try '{command} {option}' for help.",
    "Invalid value: {message}",
    "Invalid value for {param_hint}: {message}",
    "Missing argument",
    "Missing option",
    "Missing parameter",
    "Missing command.",
    "Choose from:\n\t{choices}",
    "No such option {name!r}.",
    "No such command {name!r}.",
    "Option {name!r} does not take a value.",
    "{name} {filename!r} does not exist.",
    "{name} {filename!r} is a directory.",
    "{name} {filename!r} is not readable.",
    "{name} {filename!r} is not writable.",
    ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
    ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
)

# Always the same, whoever writes it and when; Indonesian has no plural.
HEADER: Final = """\
# What ucj says, in Indonesian. Written by docs/catalogue.py; fill in msgstr.
msgid ""
msgstr ""
"Project-Id-Version: ucj 1\\n"
"POT-Creation-Date: 2025-01-01 00:00+0000\\n"
"PO-Revision-Date: 2025-01-01 00:00+0000\\n"
"Language: id\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def template() -> Any:  # noqa: ANN401 - Babel's Catalog
    """Return the sentences of the code, each with the files it stands in."""
    from babel.messages.catalog import Catalog
    from babel.messages.extract import extract_from_dir

    catalog = Catalog(charset="utf-8")
    for package in PACKAGES:
        found = extract_from_dir(
            ROOT / package, [("**.py", "python")], keywords=KEYWORDS, strip_comment_tags=True
        )
        for file, _line, message, comments, context in found:
            place = (f"{package}/{Path(file).as_posix()}", 0)
            catalog.add(message, None, [place], auto_comments=comments, context=context)
    for text in _of_help():
        catalog.add(text, None, [("--help", 0)])
    for words in OF_CLICK:
        catalog.add(words, None, [("click", 0)])
    return catalog


def _of_help() -> Iterator[str]:
    """Yield what the commands say of themselves."""
    import click

    from cli.help_texts import EXAMPLES, texts
    from cli.main import COMMANDS, ucj

    yield EXAMPLES
    yield from (short for _module, short in COMMANDS.values())
    yield from texts(ucj)
    with click.Context(ucj) as context:
        for name in ucj.list_commands(context):
            command = ucj.get_command(context, name)
            assert command is not None
            yield from texts(command)


def catalogue() -> Any:  # noqa: ANN401 - Babel's Catalog
    """Return the translations as `ucj.po` has them."""
    from babel.messages.pofile import read_po

    with PO.open("rb") as file:
        return read_po(file, locale="id", domain="ucj")


def brought_up_to_date() -> Any:  # noqa: ANN401 - Babel's Catalog
    """Return the translations of what the code says now; what is new has none."""
    catalog = catalogue()
    catalog.update(template(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def as_text(catalog: Any) -> bytes:  # noqa: ANN401 - Babel's Catalog
    """Return `ucj.po`: in the order of the files, without line numbers, which would always change."""
    from babel.messages.pofile import write_po

    stream = io.BytesIO()
    write_po(stream, catalog, width=100, sort_by_file=True, include_lineno=False, omit_header=True)
    return HEADER.encode() + stream.getvalue()


def compiled(catalog: Any) -> bytes:  # noqa: ANN401 - Babel's Catalog
    """Return `ucj.mo`."""
    from babel.messages.mofile import write_mo

    stream = io.BytesIO()
    write_mo(stream, catalog)
    return stream.getvalue()


def _strings(message: Any) -> tuple[str, ...]:  # noqa: ANN401 - Babel's Message
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def main() -> None:
    """Write both files, and say what has no translation yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    catalog = brought_up_to_date()
    PO.write_bytes(as_text(catalog))
    MO.write_bytes(compiled(catalogue()))
    lacking = [each.id for each in catalog if each.id and not any(_strings(each))]
    if lacking:
        sys.stderr.write(f"{len(lacking)} sentences have no translation: {PO.name}\n")


if __name__ == "__main__":
    main()
