"""``haihe``: the command line over the zones. Each verb acts in one zone, with that zone's settings and keys alone."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from credit.errors import CreditError, Malformed
from credit.messages import Text
from infra import output
from infra.language.help import HelpContext, translate_help, usage_errors
from infra.verbs.table import USERS, VERBS

INTERRUPTED = 130  # the exit code that a shell gives a command that Ctrl-C ended
# What the operating system answers to a path that was given wrongly.
WRONG_PATHS = {errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EROFS, errno.EACCES}
DISTRIBUTION = "haihe-credit-lab"
SETTINGS: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": None}


class VerbGroup(TyperGroup):
    """All verbs of :data:`~infra.verbs.table.VERBS`; the module of one is imported when that verb is called."""

    context_class = HelpContext

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the options before the verb; an error is in the language of the shell."""
        with usage_errors():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the verb; an error in its options is in the language of the shell."""
        with usage_errors():
            return super().invoke(ctx)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all verbs, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the module of a verb and give its command; None when there is no such verb."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        app = typer.Typer(**SETTINGS)
        app.callback()(_no_options)  # keeps it a group when the module has a single verb
        importlib.import_module(f"infra.verbs.{verb.module}").add_to(app)
        group = typer.main.get_command(app)
        assert isinstance(group, TyperGroup)
        command = group.commands[cmd_name]
        translate_help(command)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the verb of ``args``; a misspelt one is refused with the names that come near."""
        if args and args[0] in VERBS:
            return super().resolve_command(ctx, args)
        self.commands = dict.fromkeys(VERBS)  # type: ignore[assignment]  # the names that an error suggests
        try:
            return super().resolve_command(ctx, args)
        finally:
            self.commands = {}

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs by who uses them, from the table alone."""
        width = max(map(len, VERBS))
        for users, title in USERS.items():
            with formatter.section(title):
                rows = [(name.ljust(width), verb.summary) for name, verb in VERBS.items() if verb.users == users]
                formatter.write_dl(rows)


def command_line() -> typer.Typer:
    """The command line. It imports the module of a verb when that verb is called, and none for its own help."""
    app = typer.Typer(
        cls=VerbGroup,
        help="海河信用创新实验室 Haihe Credit Innovation Lab: from a raw record to a bank's verifiable score.",
        no_args_is_help=True,
        **SETTINGS,
    )
    app.callback()(_options)
    return app


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=lambda on: _version(on)),
    ] = False,
) -> None:
    """The options that ``haihe`` has before any verb."""


def _no_options() -> None:
    """A group without options of its own."""


def _version(wanted: bool) -> None:
    """Print the installed version and end, when ``--version`` is given."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"haihe {version(DISTRIBUTION)}")
        raise typer.Exit


def main() -> None:
    """Run a verb. A failure ends in words and an exit code; a traceback is printed only for HAIHE_TRACEBACK=1."""
    try:
        command_line()()
    except CreditError as error:
        output.error(error)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, SystemExit) as ended:
        if isinstance(ended, KeyboardInterrupt) or ended.code == INTERRUPTED:
            output.error(CreditError("haihe.stopped"))
            sys.exit(INTERRUPTED)
        raise
    except BrokenPipeError:
        os._exit(1)  # the program that read our output has ended: write nothing more, not even at exit
    except Exception as error:
        if os.environ.get("HAIHE_TRACEBACK"):
            raise
        fault = _fault(error)
        output.error(fault)
        sys.exit(fault.exit_code)


def _fault(error: Exception) -> CreditError:
    """The error to print for an exception: what is wrong with a path, or that the program has a fault."""
    if isinstance(error, OSError) and error.errno in WRONG_PATHS and error.filename is not None:
        why = Text.verbatim(error.strerror or type(error).__name__)
        return Malformed("haihe.wrong-path", why=why, path=str(error.filename)[:200])
    return CreditError("haihe.fault", error=type(error).__name__)


if __name__ == "__main__":
    main()
