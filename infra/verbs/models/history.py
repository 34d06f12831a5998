"""The verb ``history``: which version of a model was in production at a time, by what was known at a time."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from credit.errors import Malformed, Missing
from credit.messages import Text
from credit.settings import BEIJING
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs.options import AsJson


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(history)


def moment(text: str) -> datetime:
    """A time with its zone (Beijing's where it names none), or the end of a day; raises :class:`Malformed`."""
    try:
        if len(text) == len("2026-11-01"):
            end = date.fromisoformat(text) + timedelta(days=1)
            return datetime.combine(end, time(), tzinfo=BEIJING) - timedelta(microseconds=1)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise Malformed("history.not-a-time", why=Text.verbatim(text[:40])) from error
    return at if at.tzinfo else at.replace(tzinfo=BEIJING)


def history(
    model: Annotated[str, typer.Argument(help="A model.")],
    at: Annotated[str, typer.Option(help="The time that is asked about: a day (its end), or a time.")] = "",
    known: Annotated[str, typer.Option(help="Leave out what was recorded after this day or time.")] = "",
    proof: Annotated[Path | None, typer.Option(help="Write a proof of the entry into this file.")] = None,
    verify: Annotated[
        Path | None, typer.Option(help="Verify such a file with the public keys alone.", exists=True, dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show which version of a model was in production when, and who decided it.

    Without `--at` it shows every change. A proof shows that the platform wrote an entry, and needs no ledger.
    """
    from credit.champion_history import champion_at, champion_changes

    home = Home.here()
    if verify is not None:
        _verify(home, verify, model, as_json)
        return
    now = datetime.now(UTC)
    when, until = moment(at) if at else now, moment(known) if known else now
    changes = [each for each in champion_changes(home.ledger("platform"), model) if each.at <= until]
    current = champion_at(changes, when, until)
    if proof is not None:
        if current is None:
            raise Missing("history.nothing-to-prove", model=model)
        _write_proof(home, proof, current.seq)
    data: dict[str, Any] = {
        "model": model, "at": when.isoformat(), "known": until.isoformat(),
        "champion": current.as_json() if current else None, "changes": [each.as_json() for each in changes],
    }  # fmt: skip
    if as_json:
        output.document(data)
        return
    if current is None:
        output.message("cli.history.none", model=model, at=_short(when))
    else:
        output.message("cli.history.champion", model=model, at=_short(when), version=current.version)
    shown = changes if not at else [current] if current else []
    rows = [(_short(each.at), each.version, str(each.by), each.roll_back or each.waiver) for each in shown]
    if rows:
        output.table(localized("cli.history.title"), ("at", "version", "by", "why"), rows)


def _write_proof(home: Home, path: Path, number: int) -> None:
    from credit.files import write_atomically
    from credit.ledger.inclusion import inclusion_proof

    proof = inclusion_proof(home.ledger("platform"), number)
    write_atomically(path, json.dumps(proof, ensure_ascii=False, indent=1).encode() + b"\n")


def _verify(home: Home, path: Path, model: str, as_json: bool) -> None:
    from credit.champion_history import GRANTED, ChampionChange
    from credit.ledger.inclusion import included_entry

    try:
        proof = json.loads(path.read_bytes())
    except ValueError as error:
        raise Malformed("inclusion.no-proof") from error
    entry = included_entry(proof if isinstance(proof, dict) else {}, home.ring)
    change = ChampionChange.of(entry)
    if proof["zone"] != "platform" or entry.verb != GRANTED or change.model != model:
        raise Malformed("history.another-entry", model=model)
    output.result(change.as_json(), as_json=as_json, text=localized("cli.history.proved"))


def _short(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
