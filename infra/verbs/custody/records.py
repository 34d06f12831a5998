"""Verbs of the custody zone: keys, city, intake, quarantine, release, subjects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credit.errors import Malformed
from credit.files import write_atomically
from credit.messages import Text, language_here
from infra import output
from infra.home import Home
from infra.language.texts import field, localized
from infra.progress import progress
from infra.verbs import options
from infra.verbs.options import AsJson, By, CatalogueName, Today
from infra.verbs.requesting import carry_out

if TYPE_CHECKING:
    from credit.catalogue import Catalogue

NOTHING_KEPT = 2  # the exit code of an intake of which no row was stored, now or before
_SHOWN = ("table", "file", "line", "document", "field", "value", "reason")
PURPOSES = ("research", "scoring", "inquiry")


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    for verb in (keys, city, intake, quarantine, release, subjects):
        app.command()(verb)


def keys(as_json: AsJson = False) -> None:
    """Make the keys of every zone in this home; existing keys stay."""
    home = Home.here()
    made = home.ensure_keys()
    ring = {zone: next(iter(keys)) for zone, keys in home.ring.keys.items()}
    data: dict[str, Any] = {"home": str(home.root), "ring": ring}
    words = (
        data
        if as_json
        else {"home": str(home.root)}
        | {localized("cli.keys.key", zone=field(zone)): name for zone, name in ring.items()}
    )
    output.result(words, as_json=as_json, text=localized("cli.made" if made else "cli.keys.exist"))


def city(
    subjects: Annotated[int, typer.Option(min=200, help="How many subjects.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city, to the byte.")] = 7,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write its raw files into; `city` in the home by default.")
    ] = None,
    today: Annotated[str, typer.Option(help="The current day of the city.")] = "2026-11-01",
    as_json: AsJson = False,
) -> None:
    """Draw an invented city: raw files as its departments would send them.

    Some of the rows are faulty on purpose, as in real files. A home in which nothing has happened yet is marked as
    invented.
    """
    from infra.desk.city_marking import mark_in_own_process
    from privacy import city as invented

    home = Home.here()
    folder = out or home.root / "city"
    with progress() as report:
        built = invented.build(folder, subjects=subjects, seed=seed, today=options.day(today), progress=report)
        marked = mark_in_own_process(home, [folder / name for name in built.files])
    summary = {
        "folder": str(folder),
        "subjects": subjects,
        "rows": sum(built.rows.values()),
        "dirty": sum(built.dirty.values()),
        "invented_home": marked,
    }
    output.result(summary, as_json=as_json, text=localized("cli.city.drawn"))


def intake(
    paths: Annotated[list[Path], typer.Argument(help="Files, or a folder of them.")],
    mapping: Annotated[Path | None, typer.Option("--map", help="A mapping of columns, kept for later files.")] = None,
    receipt: Annotated[
        Path | None, typer.Option(help="Write the signed receipt of a delivery with a list into this file.")
    ] = None,
    without_earlier: Annotated[
        bool, typer.Option("--without-earlier", help="Bring a delivery in although earlier ones have not come.")
    ] = False,
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Check raw files and store their rows; rows that fail go to quarantine.

    The reason is stored beside each row in quarantine. The exit code is 2 where no row was stored, now or before.

    A folder with a file delivery.yaml is a delivery of a source unit: its files and number are compared with that list.
    """
    if receipt and receipt.exists():
        raise Malformed("delivery.receipt-exists", file=receipt.name)
    arguments: dict[str, Any] = {"paths": [str(path.absolute()) for path in paths], "catalogue": named(catalogue)}
    arguments |= {"mapping": str(mapping.resolve())} if mapping else {}
    arguments |= {"without_earlier": True} if without_earlier else {}
    answer = carry_out(Home.here(), "intake", arguments, by=by, today=options.requested_day(today))
    made, ignored = answer.last, {name: _message(why) for name, why in answer.private["ignored"].items()}
    if receipt:
        if "receipt" not in answer.private:
            raise Malformed("delivery.no-list")
        write_atomically(receipt, json.dumps(answer.private["receipt"], indent=1).encode() + b"\n")
    delivered = {"delivery": made["delivery"]} if "delivery" in made else {}
    if as_json:
        wanted = ("rows", "kept", "duplicates", "quarantined", "reasons", "others")
        output.document({name: made[name] for name in wanted} | {"ignored": ignored} | delivered)
    else:
        _print_intake(made, ignored)
        _print_delivery(made.get("delivery"))
    if not made["kept"] and not made["duplicates"]:
        raise typer.Exit(NOTHING_KEPT)


def _print_intake(made: dict[str, Any], ignored: dict[str, str]) -> None:
    texts = {name: f"{made[name]:,}" for name in ("rows", "kept", "duplicates", "quarantined", "files")}
    output.message("cli.intake.done" if made["changed"] else "cli.intake.nothing-new", **texts)
    rows = [(name, *counts) for name, counts in made["tables"].items()]
    output.table(localized("cli.intake.by-table"), ("table", "rows", "kept", "duplicates", "quarantined"), rows)
    if made["reasons"]:
        messages = {reason: _message(message) for reason, message in made["messages"].items()}
        ordered = sorted(((n, messages.get(reason, reason)) for reason, n in made["reasons"].items()), reverse=True)
        output.table(localized("cli.intake.why-quarantined"), ("rows", "reason"), ordered)
    if made["others"]:
        kinds = [(count, field(kind)) for kind, count in made["others"].items()]
        output.table(localized("cli.intake.no-rows"), ("lines", "kind"), kinds)
    if ignored:
        output.table(localized("cli.intake.ignored"), ("file", "reason"), ignored.items())


def _print_delivery(delivery: dict[str, Any] | None) -> None:
    if delivery is None:
        return
    output.message("cli.delivery.again" if delivery["again"] else "cli.delivery.received", **delivery)
    if delivery["missing_before"]:
        output.message("cli.delivery.missing", numbers="-".join(map(str, sorted(set(delivery["missing_before"])))))
    if delivery["rows_listed"] != delivery["rows_read"]:
        output.message("cli.delivery.short", listed=delivery["rows_listed"], read=delivery["rows_read"])


def _message(data: dict[str, Any]) -> str:
    """A message of another process in the language of the shell."""
    text = Text.from_json(data)
    return text.render(language_here()) if text else str(data.get("id", ""))


def quarantine(
    rows: Annotated[bool, typer.Option("--rows", help="Print the rows themselves.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many rows are printed.")] = 100,
    back: Annotated[Path | None, typer.Option(help="Write files for the source units into this folder.")] = None,
    form: Annotated[str, typer.Option(help="The form of these files: csv or xlsx.")] = "csv",
    page: Annotated[Path | None, typer.Option(help="Write a page of the rows into this file.")] = None,
    catalogue: CatalogueName = "city",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Count the rows in quarantine by table and reason.

    They wait there until their source unit has corrected them. The files for the source units have each rejected row
    with its reason; a corrected file that is brought in ends the waiting of its rows.
    """
    arguments: dict[str, Any] = {"catalogue": named(catalogue)} | ({"rows": limit} if rows else {})
    arguments |= {"back": str(back.absolute()), "form": form} if back else {}
    arguments |= {"page": str(page.absolute()), "language": language_here()} if page else {}
    answer = carry_out(Home.here(), "quarantine", arguments, by=by)
    made, private = answer.last, answer.private
    listed = [{**row, "reason": _message_of(row["message"], row["reason"])} for row in private.get("rows", ())]
    shown = [{name: row[name] for name in _SHOWN} for row in listed]
    if as_json:
        counts = {"rows": made["rows"], "reasons": {f"{t}: {r}": n for n, t, r in made["counts"]}}
        more = ({"listed": shown} if rows else {}) | ({"files": private["files"]} if back else {})
        more |= {"waiting": made["waiting"]} | ({"page": str(page)} if page else {})
        output.document(counts | more)
        return
    messages = {reason: _message(message) for reason, message in made["messages"].items()}
    counted = [(count, table, messages.get(reason, reason)) for count, table, reason in made["counts"]]
    output.table(localized("cli.quarantine.title", count=made["rows"]), ("rows", "table", "reason"), counted)
    if rows:
        output.table(localized("cli.quarantine.rows"), _SHOWN, [tuple(row.values()) for row in shown])
    if back:
        output.table(localized("cli.quarantine.files"), ("file",), [(path,) for path in private["files"]])
    if page:
        output.message("cli.quarantine.page", page=page)


def _message_of(given: str | None, reason: str) -> str:
    return _message(json.loads(given)) if given else reason


def release(
    purpose: Annotated[str, typer.Argument(help="research, scoring or inquiry.")],
    catalogue: CatalogueName = "city",
    audience: Annotated[str, typer.Option(help="Another audience than this lab, with pseudonyms of its own.")] = "",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Make a release: desensitised tables for one purpose, sealed on the shelf.

    The release gate judges the tables before they are sealed.
    """
    if purpose not in PURPOSES:
        raise Malformed("custody.no-purpose", purpose=purpose, purposes=" or ".join(PURPOSES))
    arguments = {"purpose": purpose, "catalogue": named(catalogue)} | ({"audience": audience} if audience else {})
    made = carry_out(Home.here(), "release", arguments, by=by, today=options.requested_day(today)).last
    output.result(made, as_json=as_json, text=localized("cli.release.made"))


def subjects(
    table: Annotated[str, typer.Argument(help="A raw table.")],
    limit: Annotated[int, typer.Option(help="How many.")] = 3,
    catalogue: CatalogueName = "city",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Print the codes of some subjects of a raw table.

    Only custody can read them; subjects of real tables without codes have surrogate codes.
    """
    arguments = {"table": table, "limit": limit, "catalogue": named(catalogue)}
    made = carry_out(Home.here(), "subjects", arguments, by=by)
    output.result({"codes": made.private["codes"]}, as_json=as_json)


def named(catalogue: str) -> str:
    """A catalogue as a request names it: one of ours by its name, a folder by its whole path."""
    return str(Path(catalogue).resolve()) if "/" in catalogue and Path(catalogue).is_dir() else catalogue


def catalogue_of(name: str) -> Catalogue:
    """A catalogue by its name or its folder."""
    from credit.catalogue import Catalogue

    folder = Path(name)
    return Catalogue.load(folder.name, folder) if folder.is_dir() and "/" in name else Catalogue.load(name)
