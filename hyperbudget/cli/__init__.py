"""The command ``hyperbudget``. A command's module is imported only when the command is called.

Each module named in `COMMANDS` exposes its click command as ``command`` and imports, at its top, only click and what
needs nothing else, so that ``--help`` answers at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from hyperbudget import __version__
from hyperbudget.errors import UserError

COMMANDS = {
    "ls": "List the studies that ship with the package.",
    "cp": "Copy a study that ships, to edit it.",
    "check": "Validate a study file; all mistakes at once.",
    "count": "Count a model's learnable parameters by group.",
    "solve": "Find the models that land on a parameter budget.",
    "plan": "Show what a study would do, without training.",
    "run": "Run a study, or go on with it.",
    "status": "Show how far a study is.",
    "report": "Build a study's report, HTML and PDF.",
    "compare": "Build one report of several studies.",
    "export": "Write a finished run's model to a file.",
    "bench": "Measure what the design costs on this machine.",
    "show": "Draw a finished run's kernels and what they share.",
    "sample": "Let a finished run's language model write.",
    "ui": "Open the MLflow UI on a study's runs.",
    "doctor": "Check this machine, a cluster and the stores.",
    "completion": "Print the completion script of a shell.",
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and one line of help each without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See `click.Group`."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"hyperbudget.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See `click.Group`."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """See `click.Group`."""
        names = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group`; an unknown command is told the nearest one."""
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"No such command '{args[0]}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Run the command, and exit with the code that it returns, if any.

        A UserError is shown as it stands, but for passwords in URIs, on stderr, and exits with its own code; Ctrl-C
        exits with 130.
        """
        try:
            code = super().invoke(ctx)
        except UserError as error:
            from hyperbudget.study.folder import masked

            coloured = is_terminal() and not os.environ.get("NO_COLOR")
            for line in masked(str(error)).splitlines():
                click.echo(click.style(line, fg="red") if coloured else line, err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            ctx.exit(130)
        ctx.exit(code if isinstance(code, int) else 0)


def is_terminal() -> bool:
    """Whether somebody sees what is written to stderr."""
    return sys.stderr.isatty()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hyperbudget")
def main() -> None:
    """What does a learnable parameter buy, and where is it best spent?

    A study is a question with a search space and a budget, in one YAML file. Begin with `hyperbudget ls`.
    """
