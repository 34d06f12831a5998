"""Verbs of research: check a declaration, place its order and train it, read the card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from credit.errors import Missing
from infra import output
from infra.home import Home
from infra.progress import progress
from infra.verbs import options
from infra.verbs.compute import registry
from infra.verbs.options import AsJson, By, Today
from infra.verbs.seals import ALICE, Model, release_of, version_of
from lab.order_placement import place
from models.distributed.ray_cluster import cluster
from models.features.feature_sql import check_order
from models.order.order import Order, load_declaration
from models.registry.version import evidence_of
from models.settings import ComputeSettings
from models.training.pipeline import train as run

DECLARED = Path(__file__).parents[2] / "models" / "declarations"


def add_to(app: typer.Typer) -> None:
    """Put these verbs on the command line."""
    for verb in (check, train, card):
        app.command()(verb)


def declaration(name: str) -> Order:
    """A declaration by file, or by the name of a built-in one."""
    stem = Path(name).stem  # `models/enterprise.yaml`, where they stood before, still names the built-in one
    for path in (Path(name), DECLARED / f"{stem}.yaml", DECLARED / "real" / f"{stem}.yaml"):
        if path.suffix == ".yaml" and path.is_file():
            return load_declaration(path)
    raise Missing("research.no-declaration", name=name)


def check(name: Annotated[str, typer.Argument(help="A declaration.")]) -> None:
    """Check a declaration and its SQL against the newest research release."""
    home = Home.here()
    order = declaration(name)
    release = release_of(home, "research")
    query = check_order(order, release.seal.terms)
    used = {table: ", ".join(sorted(columns)) for table, columns in query.tables.items()}
    output.result(used, as_json=False, text=f"[green]sound[/green]: {len(order.features)} features, reading")


def train(
    names: Annotated[list[str], typer.Argument(help="Declarations: enterprise, individual_business, or YAML files.")],
    release: Annotated[str, typer.Option(help="A research release; the newest unless named.")] = "",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Place an order for each declaration and train it on Ray; a local cluster is started if none is named."""
    home = Home.here()
    settings = home.settings(ComputeSettings, "compute")
    day, who, shelf = today or options.today(), by or ALICE, home.shelf
    orders = [declaration(name) for name in names]
    source = release_of(home, "research", release)
    made: dict[str, Any] = {}
    with registry(home) as mlflow, cluster(settings.ray_address, token=settings.ray_token) as tasks, progress() as told:
        for order in orders:
            placed = place(
                order,
                release=source,
                shelf=shelf,
                key=home.key("research"),
                by=who,
                ledger=home.ledger("research", writing=True),
                today=day,
            )
            seal = run(
                shelf.open(placed.id, deep=False),
                shelf=shelf,
                key=home.key("compute"),
                by=who,
                ledger=home.ledger("compute", writing=True),
                tracking=mlflow,
                tasks=tasks,
                today=day,
                limits=settings.limits,
                progress=lambda step, done, total, model=order.model: told(f"{model}: {step}", done, total),  # type: ignore[misc]
            )
            evidence = evidence_of(shelf.open(seal.id, deep=False).path)
            made[order.model] = {
                "title": order.title,
                "order": placed.id,
                "version": seal.id,
                "release": source.seal.id,
                "evidence": evidence,
            }
    if as_json:
        output.result(made, as_json=True)
        return
    for model, each in made.items():
        output.figures(model, each["version"], each["evidence"])


def card(name: Model) -> None:
    """Print a version's model card."""
    output.console.print((version_of(Home.here(), name).path / "card.md").read_text(encoding="utf-8"), markup=False)
