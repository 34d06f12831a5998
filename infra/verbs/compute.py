"""Verbs of compute: register, promote, snapshot; and how a verb finds an MLflow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated, Any

import numpy as np
import typer

from credit.errors import Missing, Refused
from infra import output, stack
from infra.home import Home
from infra.progress import progress
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today
from infra.verbs.seals import ALICE, BOB, Model, release_of, version_of
from models.distributed.ray_cluster import cluster, in_process
from models.promotion.promote import promote as judge
from models.promotion.promote import register as ask
from models.promotion.promote import roll_back
from models.registry.mlflow_registry import Registry
from models.scoring.scorer import Scorer
from models.settings import ComputeSettings
from models.snapshots.build import make_snapshot, point_snapshot


def add_to(app: typer.Typer) -> None:
    """Put these verbs on the command line."""
    for verb in (register, promote, snapshot):
        app.command()(verb)


@contextmanager
def registry(home: Home) -> Iterator[Registry]:
    """The MLflow that the settings name; without one, a server of our own for as long as it is needed."""
    named = os.environ.get("HAIHE_COMPUTE_MLFLOW_URI")
    with nullcontext(named) if named else stack.mlflow_server(home) as uri:
        yield Registry(str(uri))


def register(name: Model, by: By = None, as_json: AsJson = False) -> None:
    """Put a version into MLflow and ask for its promotion."""
    home = Home.here()
    version = version_of(home, name)
    with progress() as at, registry(home) as mlflow:
        at(f"registering {version.seal.terms['model']}", 0, 0)
        number = ask(version, by=by or ALICE, ledger=home.ledger("platform", writing=True), registry=mlflow)
    output.result(
        {"version": version.seal.id, "mlflow_version": number},
        as_json=as_json,
        text="registered, and promotion asked for",
    )


def promote(
    name: Model,
    again: Annotated[str, typer.Option(help="Roll back to a version once promoted: say why.")] = "",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Judge a version at the gate and, when it passes, make it the champion. Its maker is refused."""
    home = Home.here()
    settings = home.settings(ComputeSettings, "compute")
    version = version_of(home, name)
    told: dict[str, Any] = {"version": version.seal.id}
    shared: dict[str, Any] = {
        "by": by or BOB,
        "shelf": home.shelf,
        "platform_key": home.key("platform"),
        "ledger": home.ledger("platform", writing=True),
        "today": today or options.today(),
    }
    with progress() as at, registry(home) as mlflow:
        at(f"measuring {version.seal.terms['model']} again, and judging", 0, 0)
        if again:
            roll_back(version, why=again, registry=mlflow, **shared)
        else:
            elsewhere = (
                cluster(settings.ray_address, token=settings.ray_token)
                if settings.ray_address
                else nullcontext(in_process())
            )
            with elsewhere as tasks:
                try:
                    told["verdict"] = judge(version, registry=mlflow, tasks=tasks, **shared).as_json()
                except Refused:
                    told["verdict"] = refusal(home, version.seal.id)
                    if as_json and told["verdict"]:
                        output.result(told, as_json=True)
                    elif told["verdict"]:
                        output.verdict(told)
                    raise
    if as_json:
        output.result(told, as_json=True)
    else:
        output.verdict(told)


def refusal(home: Home, version: str) -> dict[str, Any] | None:
    """The last verdict that refused a version, as the ledger has it; None when it never came to a verdict."""
    entries = [e for e in home.ledger("platform").about(version) if e.verb == "promotion.refused"]
    return dict(entries[-1].because["verdict"]) if entries else None


def snapshot(
    name: Annotated[str, typer.Argument(help="A model: its champion is used.")],
    release: Annotated[str, typer.Option(help="A scoring release; the newest unless named.")] = "",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Features and answers of every subject by the champion, for the service to take up."""
    home = Home.here()
    champion = home.shelf.pointer(f"champion-{name}", {"platform"})
    if champion is None:
        raise Missing("compute.no-version-champion", name=name)
    version = home.shelf.open(champion["version"])
    source = release_of(home, "scoring", release)
    day, who = today or options.today(), by or BOB
    scorer = Scorer.load(version.path)
    with progress() as told:
        seal = make_snapshot(
            version=version,
            release=source,
            scorer=scorer,
            shelf=home.shelf,
            key=home.key("compute"),
            by=who,
            as_of=day,
            ledger=home.ledger("compute", writing=True),
            limits=home.settings(ComputeSettings, "compute").limits,
            progress=told,
        )
    point_snapshot(home.shelf, seal, key=home.key("platform"))
    opened = home.shelf.open(seal.id, deep=False)
    answers = np.load(opened.path / "answers.npy", mmap_mode="r")
    card = scorer.card
    counts = np.bincount(answers["grade"], minlength=len(card.grades))
    shares = {grade: float(count) / max(1, len(answers)) for grade, count in zip(card.grades, counts, strict=True)}
    told_all = {"snapshot": seal.id, "model": name, "subjects": len(answers), "shares": shares}
    output.result(told_all, as_json=as_json, text="made, and pointed at for the service")
