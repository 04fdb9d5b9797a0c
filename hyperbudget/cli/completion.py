"""``hyperbudget completion``."""

from __future__ import annotations

import click


@click.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(hyperbudget completion bash)"     in ~/.bashrc
    zsh:   eval "$(hyperbudget completion zsh)"      in ~/.zshrc
    fish:  hyperbudget completion fish | source      in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    from hyperbudget.cli import main

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "hyperbudget", "_HYPERBUDGET_COMPLETE").source())
