"""The verbs ``backup`` and ``restore``: a home and its keys, kept in two places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from credit.errors import Malformed
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.progress import progress
from infra.verbs.options import AsJson


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command()(backup)
    app.command()(restore)


def backup(
    data: Annotated[
        Path, typer.Argument(help="The folder of backups of data, which keeps every one.", file_okay=False)
    ],
    keys: Annotated[
        Path, typer.Option("--keys", help="The folder of the keys' backup, which keeps the newest.", file_okay=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Back up this home while it runs: its data into one folder, its keys into another.

    Keep the two in different places: who has both has everything.
    """
    from infra.backup.making import make_backup

    with progress() as report:
        made = make_backup(Home.here().root, data.resolve(), keys.resolve(), report)
    facts = {
        "data": str(made.data), "keys": str(made.keys), "files": made.files, "bytes": made.bytes, "copied": made.copied,
    }  # fmt: skip
    output.result(facts, as_json=as_json, text=localized("cli.backup.made", mib=made.bytes >> 20, **facts))


def restore(
    data: Annotated[
        Path,
        typer.Argument(help="A backup of data, or the folder of several: the newest.", exists=True, file_okay=False),
    ],
    keys: Annotated[
        Path, typer.Option("--keys", help="A backup of keys, or the folder that has it.", exists=True, file_okay=False)
    ],
    heads: Annotated[
        Path | None,
        typer.Option(help="A later file of `haihe ledger heads`: what was entered since is counted.", exists=True),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the home that HAIHE_HOME names of a backup, and say what is lost."""
    from infra.backup.restoring import entries_lost
    from infra.backup.restoring import restore as restored

    lost = entries_lost(_document(heads), data.resolve(), keys.resolve()) if heads else {}
    with progress() as report:
        made = restored(data.resolve(), keys.resolve(), Home.here().root, report)
    facts = {
        "home": str(Home.here().root), "data_made_at": made.data_made_at.isoformat(),
        "keys_made_at": made.keys_made_at.isoformat(), "files": made.files, "bytes": made.bytes,
        "ledgers": dict(made.ledgers), "entries_lost": lost if heads else None,
    }  # fmt: skip
    if as_json:
        output.document(facts)
        return
    text = localized("cli.backup.restored", files=made.files, home=Home.here().root, at=made.data_made_at)
    output.result(dict(made.ledgers), as_json=False, text=text)
    if not heads:
        output.message("cli.backup.lost-not-known")
    elif not any(lost.values()):
        output.message("cli.backup.nothing-lost")
    for name, count in lost.items():
        if count:
            output.message("cli.backup.entries-lost", ledger=name, count=count)
    output.message("cli.backup.next")


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise Malformed("heads.not-heads-file") from error
