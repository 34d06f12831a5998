"""The verb ``demo``: the whole way from raw record to verified score, once."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from infra import output
from infra.verbs.options import AsJson


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(demo)


def demo(
    subjects: Annotated[int, typer.Option(min=200, help="How many subjects the invented city has.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes another city.")] = 7,
    real_data: Annotated[
        Path | None, typer.Option("--real", envvar="HAIHE_REAL_DATA", help="Use the real tables in this folder.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for everything that the run leaves.")] = Path("var/demo"),
    as_json: AsJson = False,
) -> None:
    """Run the whole way from raw record to verified score once, and write a report.

    It trains both models on an invented city; with --real it uses real tables.
    """
    from infra.demo.invented_city import run_invented_city
    from infra.demo.real_tables import run_real_tables

    with redirect_stdout(sys.stderr) if as_json else nullcontext():  # the steps are shown in either case
        if real_data is not None:
            folder = out.with_name(f"{out.name}-real")
            run_real_tables(real_data, folder)
            summaries = sorted(folder.glob("*/summary.json"))
        else:
            run_invented_city(out, subjects=subjects, seed=seed)
            summaries = [out / "summary.json"]
    if as_json:
        read = {path.parent.name: json.loads(path.read_bytes()) for path in summaries}
        output.document(read if real_data is not None else read[out.name])
