"""Verbs of research: check a declaration, place its order and train it, read the card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credit.errors import Missing
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.progress import progress
from infra.verbs import options
from infra.verbs.options import AsJson, By, Champion, Today
from infra.verbs.requesting import carry_out

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
    from credit.releases import require_release
    from models.features.feature_sql import check_order

    order = declaration(name)
    with progress() as report:
        report("verifying the release", 0, 0)
        release = require_release(Home.here().shelf, "research")
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
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Order and train one or more models on Ray.

    Each declaration becomes an order. A local Ray cluster is started unless the settings name one.
    """
    orders = [declaration(name) for name in names]
    arguments = {"orders": [order.as_json() for order in orders], "release": release}
    results = carry_out(Home.here(), "train", arguments, by=by, today=options.requested_day(today)).results
    placed, trained = results[0], results[1]["models"]
    made: dict[str, Any] = {
        order.model: {"title": order.title, "release": placed["release"], **trained[order.model]} for order in orders
    }
    if as_json:
        output.document(made)
        return
    for model, each in made.items():
        output.evidence(model, each["version"], each["evidence"])


def card(name: Champion, as_json: AsJson = False) -> None:
    """Print a version's model card."""
    from credit.versions import require_champion

    version = require_champion(Home.here().shelf, name)
    text = (version.path / "card.md").read_text(encoding="utf-8")
    if as_json:
        output.document({"version": version.seal.id, "card": text})
    else:
        output.line(text, markup=False)
