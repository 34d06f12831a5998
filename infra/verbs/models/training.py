"""Verbs of research: check a declaration, place its order and train it, read the card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credit.actor import Role
from credit.errors import Missing
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.progress import progress
from infra.verbs import options
from infra.verbs.actors import ALICE, acting
from infra.verbs.options import AsJson, By, Model, Today

if TYPE_CHECKING:
    from models.order.order import Order

DECLARED = Path(__file__).parents[3] / "models" / "declarations"


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    for verb in (check, train, card):
        app.command()(verb)


def declaration(name: str) -> Order:
    """A declaration by its file, or by the name of a built-in one. Raises :class:`Missing`."""
    from models.order.order import load_declaration

    stem = Path(name).stem  # `models/enterprise.yaml`, where they stood before, still names the built-in one
    for path in (Path(name), DECLARED / f"{stem}.yaml", DECLARED / "real" / f"{stem}.yaml"):
        if path.suffix == ".yaml" and path.is_file():
            return load_declaration(path)
    raise Missing("research.no-declaration", name=name)


def check(name: Annotated[str, typer.Argument(help="A declaration.")], as_json: AsJson = False) -> None:
    """Check a declaration and its SQL against the newest research release."""
    from infra.verbs.seals import release_of
    from models.features.feature_sql import check_order

    order = declaration(name)
    with progress() as report:
        report("verifying the release", 0, 0)
        release = release_of(Home.here(), "research")
        query = check_order(order, release.seal.terms)
    columns = {table: sorted(names) for table, names in query.tables.items()}
    if as_json:
        output.document({"features": len(order.features), "release": release.seal.id, "columns": columns})
        return
    words = {table: names or localized("cli.check.no-column") for table, names in columns.items()}
    text = localized("cli.check.valid", count=len(order.features))
    output.result(words, as_json=False, text=text)


def train(
    names: Annotated[list[str], typer.Argument(help="Declarations: enterprise, individual_business, or YAML files.")],
    release: Annotated[str, typer.Option(help="A research release; the newest by default.")] = "",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Order and train one or more models on Ray.

    Each declaration becomes an order. A local Ray cluster is started unless the settings name one.
    """
    actor = acting(by, ALICE, Role.RESEARCHER, Role.PLATFORM, act="act.train-model")

    from infra.verbs.models.promotion import registry
    from infra.verbs.seals import release_of
    from lab.order_placement import place_order
    from models.distributed.ray_cluster import cluster
    from models.registry.version import read_evidence
    from models.settings import ComputeSettings
    from models.training.pipeline import train as run

    home = Home.here()
    settings = home.settings(ComputeSettings, "compute")
    day, shelf = today or options.today(), home.shelf
    orders = [declaration(name) for name in names]
    made: dict[str, Any] = {}
    with progress() as report:
        report("verifying the release", 0, 0)
        source = release_of(home, "research", release)
        with registry(home, report) as mlflow:
            report("starting Ray" if not settings.ray_address else "connecting to Ray", 0, 0)
            with cluster(settings.ray_address, token=settings.ray_token) as tasks:
                for order in orders:
                    placed = place_order(
                        order,
                        release=source,
                        shelf=shelf,
                        key=home.key("research"),
                        by=actor,
                        ledger=home.ledger("research", writing=True),
                        today=day,
                    )
                    seal = run(
                        shelf.open(placed.id, deep=False),
                        shelf=shelf,
                        key=home.key("compute"),
                        by=actor,
                        ledger=home.ledger("compute", writing=True),
                        tracking=mlflow,
                        tasks=tasks,
                        today=day,
                        limits=settings.limits,
                        progress=lambda step, done, total, model=order.model: report(f"{model}: {step}", done, total),  # type: ignore[misc]
                    )
                    made[order.model] = {
                        "title": order.title,
                        "order": placed.id,
                        "version": seal.id,
                        "release": source.seal.id,
                        "evidence": read_evidence(shelf.open(seal.id, deep=False).path),
                    }
    if as_json:
        output.document(made)
        return
    for model, each in made.items():
        output.evidence(model, each["version"], each["evidence"])


def card(name: Model, as_json: AsJson = False) -> None:
    """Print a version's model card."""
    from infra.verbs.seals import version_of

    version = version_of(Home.here(), name)
    text = (version.path / "card.md").read_text(encoding="utf-8")
    if as_json:
        output.document({"version": version.seal.id, "card": text})
    else:
        output.line(text, markup=False)
