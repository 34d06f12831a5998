"""``haihe``: the command line over the zones. Each verb acts in one zone, with that zone's settings and keys alone."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence

import typer
from rich.console import Console

from credit.errors import CreditError

ROOMS: Mapping[str, tuple[str, ...]] = {
    "custody": ("keys", "city", "intake", "quarantine", "release", "repair", "subjects"),
    "research": ("check", "train", "card"),
    "compute": ("register", "promote", "snapshot"),
    "service": ("bank", "mandate", "serve", "score"),
    "audit": ("trace", "shelf", "catalogue", "ledger"),
    "walk": ("demo", "up"),
}
"""Which file has which verbs: only the one that is asked for is loaded, as some of them take seconds to."""


def command_line(words: Sequence[str]) -> typer.Typer:
    """The command line with the room of the verb that is asked for; with all of them when none is, for the help."""
    app = typer.Typer(
        help="海河信用创新实验室: from a raw record to a bank's verifiable score.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(lambda: None)
    asked = [room for room, verbs in ROOMS.items() if words and words[0] in verbs]
    for room in asked or ROOMS:
        importlib.import_module(f"infra.verbs.{room}").add_to(app)
    return app


def main() -> None:
    """Run a verb; an error of ours ends in words and its exit code, never in a traceback."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        command_line(sys.argv[1:])()
    except CreditError as error:
        console.print(error.what, style="bold red", markup=False)
        for text in (error.why, error.remedy):
            if text:
                console.print(f"  {text}", markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        console.print("stopped; nothing half-made is left, run the same command again to go on")
        sys.exit(130)
    except BrokenPipeError:
        os._exit(1)  # whoever read our words has gone: say no more, not even at exit


if __name__ == "__main__":
    main()
