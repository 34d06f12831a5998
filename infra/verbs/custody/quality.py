"""The verb of data quality (双公示数据质量): a month by source unit, and samples for checks of what was kept back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from credit.errors import Malformed, Missing
from credit.files import write_atomically
from credit.messages import language_here
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs import options
from infra.verbs.custody.records import catalogue_of, named
from infra.verbs.options import AsJson, By, CatalogueName, Today
from infra.verbs.requesting import carry_out

SHOWN = ("item", "source", "received", "stored", "compliance", "late", "lateness", "changed")


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(quality)


def quality(
    month: Annotated[str, typer.Option(help="The month, as 2026-10; by the day on which records arrived.")] = "",
    out: Annotated[Path | None, typer.Option(help="A folder for the month as JSON, CSV and a page.")] = None,
    sample: Annotated[int, typer.Option(min=0, help="Draw so many places to look for what was kept back (瞒报).")] = 0,
    check: Annotated[
        Path | None, typer.Option(help="Check offline that a sample is signed and as it was drawn.")
    ] = None,
    catalogue: CatalogueName = "city",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Measure the data of licences and penalties (双公示) in a month.

    What is complete, what is late and why rows were rejected, by source unit and item. In time is what arrived
    within seven working days of the decision.
    """
    home = Home.here()
    if check is not None:
        _print_checked(home, check, as_json)
        return
    if not month:
        raise Malformed("quality.month-missing")
    arguments = {"month": month, "sample": sample, "catalogue": named(catalogue)}
    made = carry_out(home, "quality", arguments, by=by, today=options.requested_day(today))
    files = _write(out, month, made.private, catalogue) if out is not None else []
    if as_json:
        signed = {"sample": made.private["sample"]} if sample else {}
        output.document({**made.private["quality"], **signed, "files": files})
        return
    for title, units in (("cli.quality.items", "items"), ("cli.quality.units", "units")):
        rows = [[_cell(unit[name]) for name in SHOWN] for unit in made.private["quality"][units]]
        output.table(_TITLES[title](month), SHOWN, rows)
    if sample:
        places = made.last["places"]
        output.message("cli.quality.sample-drawn", count=places)
    if files:
        output.table(localized("cli.quality.files"), ("file",), [(path,) for path in files])


_TITLES = {
    "cli.quality.items": lambda month: localized("cli.quality.items", month=month),
    "cli.quality.units": lambda month: localized("cli.quality.units", month=month),
}


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1%}"
    return "–" if value is None else str(value)


def _write(folder: Path, month: str, private: dict[str, Any], catalogue: str) -> list[str]:
    """Write the month as JSON, CSV and a page, and the sample where one was drawn."""
    from privacy.quality.measures import month_from
    from privacy.quality.page import page_of
    from privacy.quality.tables import csv_of

    folder.mkdir(parents=True, exist_ok=True)
    quality = month_from(private["quality"])
    contents = {
        f"quality-{month}.json": json.dumps(private["quality"], ensure_ascii=False, indent=1).encode(),
        f"quality-{month}.csv": csv_of(quality),
        f"quality-{month}.html": page_of(quality, catalogue_of(catalogue), language_here()),
    }
    if "sample" in private:
        contents[f"sample-{month}.json"] = json.dumps(private["sample"], ensure_ascii=False, indent=1).encode()
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return [str(folder / name) for name in contents]


def _print_checked(home: Home, path: Path, as_json: bool) -> None:
    from privacy.quality.sampling import check_sample

    try:
        envelope = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Missing("quality.no-sample-file", name=path.name) from error
    except (ValueError, OSError) as error:
        raise Malformed("quality.sample-not-readable") from error
    content = check_sample(envelope, home.ring)
    if as_json:
        output.document(content)
        return
    output.message("cli.quality.sample-right", month=content["month"], by=content["by"])
    rows = [(each["item"], each["source"], each["day"], len(each["documents"])) for each in content["places"]]
    output.table(localized("cli.quality.places"), ("item", "source", "day", "documents"), rows)
