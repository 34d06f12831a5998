"""Verbs that walk the whole road or keep it standing: demo, up."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Annotated

import httpx
import typer

from infra import show, stack
from infra.demo import CITY_DAY, invented
from infra.demo_real import real
from infra.home import Home


def add_to(app: typer.Typer) -> None:
    """Put these verbs on the command line."""
    app.command()(demo)
    app.command()(up)


def demo(
    subjects: Annotated[int, typer.Option(help="How many subjects the invented city has.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Another seed, another city.")] = 7,
    real_data: Annotated[
        Path | None, typer.Option("--real", envvar="HAIHE_REAL_DATA", help="Walk on real tables here.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the walk leaves everything.")] = Path("var/demo"),
) -> None:
    """Walk the whole road once, both models, and leave a report; on real tables with --real."""
    if real_data is not None:
        real(real_data, out.with_name(f"{out.name}-real"))
    else:
        invented(out, subjects=subjects, seed=seed)


def up(
    home: Annotated[Path, typer.Option(help="The home to keep up; that of the demo unless told.")] = Path(
        "var/demo/home"
    ),
    port: Annotated[int, typer.Option(help="The scoring service's port.")] = 8700,
    mlflow_port: Annotated[int, typer.Option(help="MLflow's port.")] = 5000,
) -> None:
    """Keep MLflow and the scoring service up until Ctrl-C; makes the demo's home first if there is none."""
    if not (home / "shelf").exists():
        shutil.rmtree(home, ignore_errors=True)
        invented(home.parent, subjects=20_000, seed=7)
    place = Home(home.resolve())
    for wanted in (port, mlflow_port):
        stack.require_free(wanted)
    day = os.environ.get("HAIHE_TODAY", CITY_DAY.isoformat())
    ended = threading.Event()  # before anything is started: a signal at any moment stops all of it
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with (
        stack.mlflow_server(place, mlflow_port) as mlflow,
        stack.scoring_service(place, port, {"HAIHE_SERVICE_TODAY": day}, until="live") as service,
    ):
        show.console.print(
            f"[green]up[/green]\n  scoring service  {service}  (docs/bank.md)\n  MLflow           {mlflow}"
        )
        show.console.print(f"  the city's day   {day}\nCtrl-C stops both.")
        told = httpx.get(f"{service}/ready", timeout=10)
        if told.status_code != 200:
            show.console.print(f"[yellow]the service is not ready yet[/yellow]: {told.json().get('title', '')}")
        ended.wait()
    show.console.print("stopped; nothing is left running")
