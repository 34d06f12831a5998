"""``haihe``: the command line over the zones. Each verb acts in one zone, with that zone's settings and keys alone."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence

import typer
from rich.console import Console

from credit.errors import CreditError

INTERRUPTED = 130  # what a shell calls a command that Ctrl-C ended
ROOMS: Mapping[str, tuple[str, ...]] = {
    "custody": ("keys", "city", "intake", "quarantine", "release", "subjects"),
    "repairs": ("repair", "withdraw"),
    "research": ("check", "train", "card"),
    "compute": ("register", "promote", "snapshot"),
    "evaluate": ("evaluate",),
    "exports": ("export",),
    "inquiry": ("dossiers", "report", "verify-report"),
    "service": ("bank", "mandate", "revoke", "review", "serve", "score"),
    "tenants": ("usage", "sandbox"),
    "retention": ("sweep",),
    "audit": ("trace", "shelf", "catalogue", "ledger"),
    "lab": ("account", "project"),
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
    """Run a verb. What goes wrong ends in words and an exit code, never in a traceback (unless one is asked for)."""
    try:
        command_line(sys.argv[1:])()
    except CreditError as error:
        _say(error.what, error.why, error.remedy)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, SystemExit) as ended:
        if isinstance(ended, KeyboardInterrupt) or ended.code == INTERRUPTED:
            _say("Stopped", "nothing half-made is left", "Run the same command again to go on")
            sys.exit(INTERRUPTED)
        raise
    except BrokenPipeError:
        os._exit(1)  # whoever read our words has gone: say no more, not even at exit
    except Exception as error:
        if os.environ.get("HAIHE_TRACEBACK"):
            raise
        why = f"{type(error).__name__}, which is a fault of ours and not of what you gave"
        _say(
            "Something broke that should not have", why, "Run it again with HAIHE_TRACEBACK=1 and send us what it says"
        )
        sys.exit(1)


def _say(what: str, why: str, remedy: str) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(what, style="bold red", markup=False)
    for text in (why, remedy):
        if text:
            console.print(f"  {text}", markup=False)


if __name__ == "__main__":
    main()
