"""The completion scripts of the shells; what they complete, click finds out by asking `ucj`."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def completion_command(shell: str) -> None:
    r"""Print the completion script of a shell.

    It completes commands, options, the codes of areas and the categories.

    \b
    Examples:
      ucj completion bash > ~/.local/share/bash-completion/completions/ucj
      ucj completion zsh > ~/.zfunc/_ucj
      ucj completion fish > ~/.config/fish/completions/ucj.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    root = click.get_current_context().find_root()
    script = found(root.command, {}, "ucj", "_UCJ_COMPLETE")
    # Not source(): it starts the shell to learn its version, which may not be installed here.
    click.echo(script.source_template % script.source_vars())
