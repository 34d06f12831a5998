"""Verbs around banks as customers: what each used, and a sandbox for their developers."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from infra import output
from infra.home import Home
from infra.language.texts import translated, visible
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today
from infra.verbs.requesting import carry_out

HEAD = ("bank", "product", "status", "calls", "subjects")


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command()(usage)
    app.command()(sandbox)


def usage(
    month: Annotated[str, typer.Option(help="The month, such as 2026-11 (Beijing time).")],
    bank: Annotated[str | None, typer.Option(help="One bank; all by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write a statement signed by the platform (DSSE) here.")] = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Count what each bank used in a month, by product and status.

    The calls and subjects are counted from the service's ledger alone. Prints CSV.
    """
    from credit.files import write_atomically

    made = carry_out(Home.here(), "usage", {"month": month, "bank": bank}, by=by)
    lines = made.private["lines"]
    if out is not None:
        write_atomically(out, made.private["signed"].encode())
    if as_json:
        output.document({"month": month, "lines": lines})
        return
    stream = io.StringIO()
    rows = csv.DictWriter(stream, HEAD, lineterminator="\n")
    rows.writeheader()
    rows.writerows(lines)
    sys.stdout.write(visible(stream.getvalue()))


def sandbox(
    save: Annotated[Path, typer.Option(help="Where the bank's secret and the firms go, mode 0600.")],
    name: Annotated[str, typer.Option("--bank", help="The invented bank's name.")] = "sandbox-bank",
    model: Annotated[str, typer.Option(help="The model that scores the firms.")] = "enterprise",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Make an invented bank with invented firms, for developers.

    Each firm shows one behaviour of the service. Only the home of an invented city can have such a bank.
    """
    from credit.files import write_atomically

    arguments = {"name": name, "model": model}
    data = carry_out(Home.here(), "sandbox", arguments, by=by, today=options.requested_day(today)).private
    firms = dict(data["firms"])
    write_atomically(save, json.dumps(data, ensure_ascii=False, indent=1).encode(), mode=0o600)
    if as_json:
        output.document({"bank": name, "saved": str(save), "firms": firms})
        return
    for role, firm in firms.items():
        output.line(f"{role:11} {firm['code']}  {firm['status']}  {translated(firm['because'])}", markup=False)
    output.message("cli.sandbox.saved", file=save)
