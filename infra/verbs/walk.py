"""Verbs that walk the whole road or keep it standing: demo, up."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import httpx
import typer

from credit.errors import CreditError
from infra import lab_services as on_this_machine
from infra import output, stack
from infra.demo.invented_city import CITY_DAY, invented
from infra.demo.real_tables import real
from infra.first_people import first_people
from infra.home import Home
from infra.sandbox import preflight
from infra.verbs import options


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
    hub_port: Annotated[int, typer.Option(help="The lab's port: workspaces and console.")] = 8000,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether this machine can, and what to mend.")
    ] = False,
) -> None:
    """Keep the whole lab up until Ctrl-C: hub, console, gateway, worker, MLflow and the scoring service.

    Makes the demo's home first if there is none. Prints addresses, and the first passwords once.
    """
    ports = {"--port": port, "--mlflow-port": mlflow_port, "--hub-port": hub_port}
    if check:
        raise typer.Exit(output.answers(asked(ports)))
    preflight.require(preflight.mode_here())
    if not (home / "shelf").exists():
        shutil.rmtree(home, ignore_errors=True)
        invented(home.parent, subjects=20_000, seed=7)
    place = Home(home.resolve())
    for wanted in ports.values():
        stack.require_free(wanted)
    today = options.day(os.environ.get("HAIHE_TODAY", CITY_DAY.isoformat()))
    ended = threading.Event()  # before anything is started: a signal at any moment stops all of it
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    people = first_people(place, today)
    with ExitStack() as kept:
        mlflow = kept.enter_context(stack.mlflow_server(place, mlflow_port))
        kept.enter_context(on_this_machine.gateway(place, today))
        kept.enter_context(on_this_machine.worker(place, mlflow, today))
        hub = kept.enter_context(on_this_machine.hub(place, hub_port, today))
        service = kept.enter_context(
            stack.scoring_service(place, port, {"HAIHE_SERVICE_TODAY": today.isoformat()}, until="live")
        )
        output.console.print(
            f"[green]up[/green]\n  the lab          {hub}  (docs/researcher.md)"
            f"\n  the console      {hub}/services/console/  (docs/platform.md)"
            f"\n  scoring service  {service}  (docs/bank.md)\n  MLflow           {mlflow}"
        )
        for name, (role, password) in people.items():
            output.console.print(f"  {name:16} {password}  ({role}; this password is shown this once)", markup=False)
        output.console.print(f"  the city's day   {today}\nCtrl-C stops all of it.")
        told = httpx.get(f"{service}/ready", timeout=10)
        if told.status_code != 200:
            output.console.print(f"[yellow]the service is not ready yet[/yellow]: {told.json().get('title', '')}")
        sys.stdout.flush()
        ended.wait()
    output.console.print("stopped; nothing is left running")


def asked(ports: dict[str, int]) -> list[preflight.Answer]:
    """What ``--check`` asks: the sandbox's questions, and whether the ports are free."""
    answers = preflight.preflight(preflight.mode_here())
    for option, number in ports.items():
        try:
            stack.require_free(number)
            answers.append(preflight.Answer(f"port {number}", True, "free"))
        except CreditError as error:
            answers.append(preflight.Answer(f"port {number}", False, error.why, f"Give another with {option}"))
    return answers
