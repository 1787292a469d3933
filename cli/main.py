"""The program `ucj`: its commands, loaded only when called, and how every refusal ends.

Knows the names of the commands and one line of help for each (held equal to theirs by a test), so
that `ucj --help` loads none of them.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Final

import click

from cli.help_texts import in_language, translated
from cli.speech import VARIABLE, begin, language_option
from registry import __version__
from registry.language import _, said

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from registry.errors import RegistryError

EXIT_FAULT: Final = 70
EXIT_INTERRUPTED: Final = 130

# name → (module, one line of help); in the order of a registry's day
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "init": ("cli.admin", "Make an empty store."),
    "template": ("cli.admin", "Print an empty file to fill in, with headers and examples."),
    "import": ("cli.importing", "Record a file of batches, potentials, targets, figures or areas."),
    "correct": ("cli.importing", "Replace what a recorded batch says."),
    "withdraw": ("cli.admin", "Take back a recorded batch."),
    "renew": ("cli.admin", "Cover on, as a new batch, those whose term ends."),
    "retract": ("cli.admin", "Take back a figure, a potential, a target or a change of an area."),
    "close": ("cli.closing", "Close a kabupaten or kota through a day."),
    "reopen": ("cli.closing", "Open closed days of a kabupaten or kota again."),
    "category": ("cli.admin", "List the categories of workers, or add one."),
    "status": ("cli.upkeep", "Say what the store holds and whether it is sound."),
    "rebuild": ("cli.upkeep", "Build the ledger anew from the log, or check it."),
    "backup": ("cli.upkeep", "Copy the store to one file, while others work."),
    "coverage": ("cli.analyst", "Active workers and coverage on a date, as known at any time."),
    "timeline": ("cli.analyst", "How an area's coverage went, day by day of change."),
    "targets": ("cli.outlook", "What each coverage target still needs, and at what pace."),
    "forecast": ("cli.outlook", "What will lapse, and what must be renewed to hold a target."),
    "export": ("cli.exporting", "Write the ledger's tables as CSV and Parquet, described."),
    "sql": ("cli.analyst", "Ask the ledger's views in SQL, read-only."),
    "trace": ("cli.tracing", "How one figure became another, batch by batch."),
    "revisions": (
        "cli.revising",
        "How a figure was revised after it was first known, and by which batches.",
    ),
    "report": ("cli.reporting", "Write the statement that an auditor files."),
    "reconcile": ("cli.reconciling", "Hold every published figure against the ledger."),
    "history": ("cli.auditor", "What was recorded, by whom and when, from which file and row."),
    "show": ("cli.auditor", "One batch or event, whole."),
    "source": ("cli.auditor", "The original cells, or the file, that a batch came from."),
    "demo": ("cli.demonstration", "Show the registry at work on published figures."),
    "completion": ("cli.completion", "Print the completion script of a shell."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of a registry's day."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return _explained(_with_marks(command))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command without importing it; options as any command does."""
        from click.shell_completion import CompletionItem

        named = [
            CompletionItem(name, help=translated(short))
            for name, (_module, short) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section(translated("Commands")):
            formatter.write_dl([(name, translated(short)) for name, (_, short) in COMMANDS.items()])

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Explain the program in the language of the process."""
        told = in_language(self)
        super(LazyGroup, told).format_help(ctx, formatter)


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `ucj demo`. Every command has --help with an example.",
)
@click.option(
    "--store",
    metavar="PATH",
    help="The store to use: UCJ_STORE, or registry.db in this folder, if not given.",
)
@click.option(
    "--by",
    "actor",
    metavar="NAME",
    help="Who records: UCJ_ACTOR, or your login name, if not given.",
)
@language_option(
    "What people read: English, or Indonesian (id). UCJ_LANG, or English, if not given.",
    variable=VARIABLE,
)
@click.option("--traceback", is_flag=True, help="Show where a fault of ours happened.")
@click.version_option(__version__, prog_name="ucj", message="%(prog)s %(version)s")
@click.pass_context
def ucj(ctx: click.Context, store: str | None, actor: str | None, traceback: bool) -> None:  # noqa: FBT001
    """Keep and ask a registry of enrolment batches of BPJS Ketenagakerjaan.

    Admins import files of batches, analysts ask what the coverage of a regency, a province or the
    nation was on any date and as known at any time, auditors see the events, file and rows behind
    every figure.
    """
    ctx.obj = {"store": store, "actor": actor, "traceback": traceback}


def _with_marks(command: click.Command) -> click.Command:
    r"""Turn the `\b` of raw docstrings into click's mark of a paragraph that is not refilled."""
    if command.help:
        command.help = command.help.replace("\\b\n", "\b\n")
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _with_marks(below)
    return command


def _explained(command: click.Command) -> click.Command:
    """Let the command explain itself in the language it is told, which may stand behind its name."""
    kind = type(command)
    command.get_help = lambda ctx: kind.get_help(in_language(command), ctx)  # type: ignore[method-assign]
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _explained(below)
    return command


def main(arguments: list[str] | None = None) -> None:
    """Run `ucj` and exit: 0 done, 1 refused, 2 usage, 3 unreadable, 4 store, 70 fault, 130 stop."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run `ucj` and return its exit code."""
    from cli.interruption import hear
    from cli.terminal import prepare_streams, quiet_broken_pipe
    from registry.errors import RegistryError

    prepare_streams()
    begin()
    given = sys.argv[1:] if arguments is None else arguments
    code = 0
    try:
        hear()
        with quiet_broken_pipe():
            result = ucj.main(args=given, prog_name="ucj", standalone_mode=False)
            code = result if isinstance(result, int) else 0
    except RegistryError as error:
        return _refused(error)
    except click.ClickException as error:
        from registry.safe_text import safe
        from registry.terms import NOTE_LENGTH_MAX

        # It quotes what was typed, which may be anything.
        lines = [safe(line, limit=NOTE_LENGTH_MAX) for line in said(error.message).split("\n")]
        error.message = "\n".join(lines)  # type: ignore[misc]
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        return _interrupted(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback to a clerk
        return _unforeseen(error, show="--traceback" in given)
    return code


def _unforeseen(error: Exception, *, show: bool) -> int:
    """Tell what is no fault of ours from what is."""
    from cli.destination import OutputUnwritableError, abandon_stdout
    from cli.interruption import is_interruption

    if is_interruption(error):
        return _interrupted(error)
    if isinstance(error, OSError) and _is_of_printing(error):
        abandon_stdout()
        return _refused(OutputUnwritableError.at_stdout(error))
    return _fault(error, show=show)


def _refused(error: RegistryError) -> int:
    from cli.escapes import visible
    from registry.errors import RuleBrokenError

    for line in error.diagnostics():
        click.echo(visible(line), err=True)
    if isinstance(error, RuleBrokenError):
        errors = [problem for problem in error.problems if problem.severity == "error"]
        for problem in errors[1:]:
            click.echo(visible(_("also: {why}").format(why=problem.why)), err=True)
    return error.exit_code


def _interrupted(error: BaseException) -> int:
    from cli.interruption import RecordedBeforeInterruptError

    told = _("Interrupted; nothing was recorded.")
    before = error.__cause__ if isinstance(error, click.Abort) else error
    if isinstance(before, RecordedBeforeInterruptError):
        from cli.recorded import positions

        told = _("Interrupted, but recorded at {at}.").format(
            at=positions(before.first, before.last)
        )
    click.echo(said(told), err=True)
    return EXIT_INTERRUPTED


def _is_of_printing(error: OSError) -> bool:
    """Whether click failed to print what it prints itself: help, the version, a script."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "click.utils"


def _fault(error: Exception, *, show: bool) -> int:
    if show or os.environ.get("UCJ_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
    told = _(
        "A fault of ours ({name}); please report it with what you typed."
        " `ucj --traceback …` shows where."
    ).format(name=type(error).__name__)
    click.echo(said(told), err=True)
    return EXIT_FAULT


if __name__ == "__main__":
    main()
