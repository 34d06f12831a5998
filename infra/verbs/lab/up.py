"""The verb ``up``: the whole lab on one machine until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import ExitStack, nullcontext, redirect_stdout
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from credit.errors import Broken, CreditError
from credit.messages import language_here
from infra import output
from infra.home import DEFAULT, FORMER, Home
from infra.progress import progress
from infra.verbs import options
from infra.verbs.options import AsJson

if TYPE_CHECKING:
    from infra.first_people import FirstPerson
    from infra.sandbox.preflight import Check

LOOK = 2.0  # seconds between two looks whether an agent has ended
UNFINISHED = ".making-the-demonstration"  # in a home while `up` makes it
PARTS = (  # what a demonstration writes into its home
    *("city", "keys", "lab", "ledgers", "logs", "mandates", "mlflow", "outbox", "raw", "reports", "running", "runs"),
    *("service", "shelf"),
)


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(up)


def up(
    home: Annotated[Path | None, typer.Option(help="The home to run; by default HAIHE_HOME, or var/lab.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The scoring service's port.")] = 8700,
    mlflow_port: Annotated[int, typer.Option(min=0, max=65535, help="MLflow's port.")] = 5000,
    hub_port: Annotated[int, typer.Option(min=0, max=65535, help="The lab's port: workspaces and console.")] = 8000,
    check: Annotated[
        bool, typer.Option("--check", help="Only check whether this machine can, and what to mend.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the whole lab on this machine until Ctrl-C.

    These are hub, console, gateway, front desk, agents, MLflow and the scoring service. Without a home it first makes
    one with the demonstration's invented city. It prints the addresses, and the first passwords once.
    """
    from infra import lab_services, stack
    from infra.demo.invented_city import CITY_DAY
    from infra.first_people import first_people, first_practice, first_project
    from infra.hub import preflight

    ports = {"--port": port, "--mlflow-port": mlflow_port, "--hub-port": hub_port}
    if check:
        raise typer.Exit(output.preflight(_checks(ports), as_json=as_json))
    preflight.require(preflight.mode_here())
    place = Home(home.resolve()) if home else Home.here()
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        make_demonstration(place)
    for wanted in ports.values():
        stack.require_free(wanted)
    today = options.day(os.environ.get("HAIHE_TODAY", CITY_DAY.isoformat()))
    ended = threading.Event()  # before anything is started: a signal at any moment stops all of it
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    people = first_people(place)
    if (former := place.root / "lab" / "accounts.json").exists() and not as_json:
        output.message("cli.up.former-accounts", path=former)
    with ExitStack() as started:
        with progress() as report:
            report("starting MLflow", 0, 5)
            mlflow = started.enter_context(stack.mlflow_server(place, mlflow_port))
            report("starting the gateway", 1, 5)
            started.enter_context(lab_services.gateway(place, today))
            report("starting the front desk and the agents", 2, 5)
            desk, agents = started.enter_context(lab_services.zones(place, mlflow, today))
            try:
                first_practice(place, today, desk)
            except CreditError as error:  # workspaces start without practice tables, and say what to do
                output.error(error)
            first_project(place, today, desk)
            report("starting the hub", 3, 5)
            hub = started.enter_context(lab_services.hub(place, hub_port, today))
            report("starting the scoring service", 4, 5)
            env = {"HAIHE_SERVICE_TODAY": today.isoformat()}
            service = started.enter_context(stack.scoring_service(place, port, env, until="live"))
        addresses = {
            "lab": hub,
            "console": f"{hub}/services/console/",
            "service": service,
            "mlflow": mlflow,
        }
        if as_json:
            shown = {each.name: _person(each, hub) for each in people}
            output.document({"home": str(place.root), **addresses, "today": today, "people": shown})
        else:
            _print_running(place, addresses, people, today)
        while not ended.wait(LOOK):
            try:
                agents.restart_ended()
            except Broken as error:  # one zone less; the lab goes on
                output.error(error)
        if not as_json:  # the services take some seconds to end what is under way
            output.message("cli.up.stopping")
    if not as_json:
        output.message("cli.up.stopped")


def make_demonstration(home: Home) -> None:
    """Make the demonstration's invented city in a home that is not there yet, or whose making was stopped.

    Raises :class:`~credit.errors.Refused` when the folder holds something that is neither a home nor what an earlier
    start left: see :func:`infra.demo.folder.claim`.
    """
    unfinished = home.root / UNFINISHED
    if home.exists() and not unfinished.exists():
        if home.root == DEFAULT.resolve() and Home(FORMER).exists():
            output.message("cli.up.other-home", home=FORMER)
        return
    from infra.demo.folder import claim
    from infra.demo.invented_city import run_invented_city

    claim(home.root, PARTS, marker=UNFINISHED, homes=[home])
    output.message("cli.up.making-home", home=home.root)
    run_invented_city(home.root / "reports" / "demo", subjects=20_000, seed=7, home=home)
    unfinished.unlink()


def _print_running(home: Home, addresses: dict[str, str], people: list[FirstPerson], today: date) -> None:
    output.message("cli.up.running", **addresses)
    for each in people:
        shown = {"name": f"{each.name:16}", "role": each.role}
        if each.token:
            output.message("cli.up.link", **shown, link=_person(each, addresses["lab"])["link"])
        elif each.totp_secret:
            output.message("cli.up.password-and-secret", **shown, password=each.password, secret=each.totp_secret)
        else:
            output.message("cli.up.password", **shown, password=each.password)
    if any(each.totp_secret for each in people):
        output.message("cli.up.code")
    output.message("cli.up.day", day=today)
    output.message("cli.up.home", home=home.root)
    if Home.here().root != home.root:
        output.message("cli.up.export-home", home=home.root)
    _print_readiness(addresses["service"])
    output.message("cli.up.ctrl-c")
    sys.stdout.flush()


def _person(person: FirstPerson, hub: str) -> dict[str, str]:
    """What a person of a new lab needs, by name; the parts that there are."""
    link = f"{hub}/hub/enrol?key={person.token}" if person.token else ""
    parts = {"role": person.role, "link": link, "password": person.password, "totp_secret": person.totp_secret}
    return {name: str(value) for name, value in parts.items() if value}


def _print_readiness(service: str) -> None:
    import httpx

    answer = httpx.get(f"{service}/ready", timeout=10, headers={"Accept-Language": language_here()})
    if answer.status_code != 200:
        output.message("cli.up.not-ready", reason=answer.json().get("title", ""))


def _checks(ports: dict[str, int]) -> list[Check]:
    """The checks of ``--check``: those of the lab, and whether the ports are free."""
    from infra import stack
    from infra.hub import preflight
    from infra.sandbox.preflight import Check

    checks = preflight.checks(preflight.mode_here())
    for option, number in ports.items():
        try:
            stack.require_free(number)
            checks.append(Check(f"port {number}", True, "free"))
        except CreditError as error:
            checks.append(Check(f"port {number}", False, error.why, f"Give another with {option}"))
    return checks
