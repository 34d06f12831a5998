"""Verbs of compute: register, promote, snapshot; and how a verb finds a seal, a version, an MLflow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated, Any

import numpy as np
import typer

from credit.actor import Actor, Role
from credit.errors import Missing, Refused
from credit.releases import recency
from credit.seal import Kind
from credit.shelf import Opened
from infra import show, stack
from infra.home import Home
from infra.progress import progress
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today
from models.cluster import cluster, in_process
from models.promote import promote as judge
from models.promote import register as ask
from models.promote import roll_back
from models.registry import Registry
from models.scorer import Scorer
from models.settings import ComputeSettings
from models.snapshot import make_snapshot, point_snapshot

ALICE, BOB = Actor("alice", Role.RESEARCHER), Actor("bob", Role.PLATFORM)
Model = Annotated[str, typer.Argument(help="A model (its newest version) or the id of a version.")]


def add_to(app: typer.Typer) -> None:
    """Put these verbs on the command line."""
    for verb in (register, promote, snapshot):
        app.command()(verb)


def newest(home: Home, kind: Kind, **terms: str) -> Opened:
    """The newest seal of a kind with these terms, verified; raises :class:`Missing`."""
    found = [s for s in home.shelf.list(kind) if all(s.terms.get(key) == value for key, value in terms.items())]
    if kind is Kind.RELEASE:
        found.sort(key=recency)
    if not found:
        told = ", ".join(f"{key} {value}" for key, value in terms.items())
        verb = {Kind.RELEASE: "release", Kind.VERSION: "train"}.get(kind, str(kind))
        raise Missing(f"There is no {kind} of {told} on the shelf", remedy=f"Make one with `haihe {verb}`")
    return home.shelf.open(found[-1].id)


def version_of(home: Home, name: str) -> Opened:
    """A version by id, or the newest of a model."""
    return home.shelf.open(name) if name.startswith("version-") else newest(home, Kind.VERSION, model=name)


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
    show.result(
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
                        show.result(told, as_json=True)
                    elif told["verdict"]:
                        show.verdict(told)
                    raise
    if as_json:
        show.result(told, as_json=True)
    else:
        show.verdict(told)


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
        raise Missing(f"No version of {name} is the champion", remedy=f"Promote one with `haihe promote {name}`")
    version = home.shelf.open(champion["version"])
    source = home.shelf.open(release) if release else newest(home, Kind.RELEASE, purpose="scoring")
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
    show.result(told_all, as_json=as_json, text="made, and pointed at for the service")
