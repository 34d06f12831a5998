"""Verbs of compute: register, promote, snapshot; and how a verb connects to MLflow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credit.actor import Role
from credit.errors import Missing, Refused
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.progress import ReportProgress, progress
from infra.verbs import options
from infra.verbs.actors import ALICE, BOB, acting
from infra.verbs.options import AsJson, By, Model, Today

if TYPE_CHECKING:
    from credit.gate import Finding
    from models.registry.mlflow_registry import Registry


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    for verb in (register, promote, snapshot):
        app.command()(verb)


@contextmanager
def registry(home: Home, report: ReportProgress) -> Iterator[Registry]:
    """The MLflow that the settings name; without one, a server of our own for as long as it is needed."""
    from infra import stack
    from models.registry.mlflow_registry import Registry

    named = os.environ.get("HAIHE_COMPUTE_MLFLOW_URI")
    if not named:
        report("starting MLflow", 0, 0)
    with nullcontext(named) if named else stack.mlflow_server(home) as uri:
        yield Registry(str(uri))


def register(name: Model, by: By = None, as_json: AsJson = False) -> None:
    """Put a version into MLflow and request its promotion."""
    actor = acting(by, ALICE, Role.RESEARCHER, Role.PLATFORM, act="act.register-version")

    from infra.verbs.seals import version_of
    from models.promotion.promote import register as request_promotion

    home = Home.here()
    version = version_of(home, name)
    with progress() as report, registry(home, report) as mlflow:
        report(f"registering {version.seal.terms['model']}", 0, 0)
        ledger = home.ledger("platform", writing=True)
        number = request_promotion(version, by=actor, ledger=ledger, registry=mlflow)
    output.result(
        {"version": version.seal.id, "mlflow_version": number},
        as_json=as_json,
        text=localized("cli.register.done"),
    )


def promote(
    name: Model,
    again: Annotated[str, typer.Option(help="Roll back to a version that was promoted before: the reason.")] = "",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Judge a version at the gate and, when it passes, make it the champion.

    Neither the maker of the version nor the person who requested the promotion may judge it.
    """
    act = "act.roll-back-to-version" if again else "act.promote-version"
    actor = acting(by, BOB, Role.PLATFORM, act=act)

    from infra.verbs.seals import version_of
    from models.distributed.ray_cluster import cluster, in_process
    from models.promotion.promote import promote as judge
    from models.promotion.promote import roll_back
    from models.settings import ComputeSettings

    home = Home.here()
    settings = home.settings(ComputeSettings, "compute")
    version = version_of(home, name)
    data: dict[str, Any] = {"version": version.seal.id}
    shared: dict[str, Any] = {
        "by": actor,
        "shelf": home.shelf,
        "platform_key": home.key("platform"),
        "ledger": home.ledger("platform", writing=True),
        "today": today or options.today(),
    }
    findings: tuple[Finding, ...] = ()
    with progress() as report, registry(home, report) as mlflow:
        report(f"measuring {version.seal.terms['model']} again, and judging", 0, 0)
        if again:
            roll_back(version, why=again, registry=mlflow, **shared)
        else:
            address, token = settings.ray_address, settings.ray_token
            with cluster(address, token=token) if address else nullcontext(in_process()) as tasks:
                try:
                    verdict = judge(version, registry=mlflow, tasks=tasks, **shared)
                    data["verdict"], findings = verdict.as_json(), verdict.findings
                except Refused as error:
                    data["verdict"] = last_refusal(home, version.seal.id)
                    if data["verdict"]:
                        _print_verdict(data, error.findings, as_json)
                    raise
    _print_verdict(data, findings, as_json)


def _print_verdict(data: dict[str, Any], findings: tuple[Finding, ...], as_json: bool) -> None:
    if as_json:
        output.document(data)
    else:
        output.gate_verdict(data, findings)


def last_refusal(home: Home, version: str) -> dict[str, Any] | None:
    """The last verdict in the ledger that refused a version; None when it never came to a verdict."""
    entries = [e for e in home.ledger("platform").about(version) if e.verb == "promotion.refused"]
    return dict(entries[-1].details["verdict"]) if entries else None


def snapshot(
    name: Annotated[str, typer.Argument(help="A model: its champion is used.")],
    release: Annotated[str, typer.Option(help="A scoring release; the newest by default.")] = "",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Score every subject with the champion, for the service to answer from."""
    actor = acting(by, BOB, Role.PLATFORM, Role.SERVICE, act="act.make-snapshot")

    import numpy as np

    from infra.verbs.seals import release_of
    from models.scoring.scorer import Scorer
    from models.scoring.snapshot_layout import map_answers
    from models.settings import ComputeSettings
    from models.snapshots.build import make_snapshot, point_snapshot

    home = Home.here()
    champion = home.shelf.pointer(f"champion-{name}", {"platform"})
    if champion is None:
        raise Missing("compute.no-version-champion", name=name)
    with progress() as report:
        report("verifying version and release", 0, 0)
        version = home.shelf.open(champion["version"])
        source = release_of(home, "scoring", release)
        scorer = Scorer.load(version.path)
        seal = make_snapshot(
            version=version,
            release=source,
            scorer=scorer,
            shelf=home.shelf,
            key=home.key("compute"),
            by=actor,
            as_of=today or options.today(),
            ledger=home.ledger("compute", writing=True),
            limits=home.settings(ComputeSettings, "compute").limits,
            progress=report,
        )
    point_snapshot(home.shelf, seal, key=home.key("platform"))
    opened = home.shelf.open(seal.id, deep=False)
    answers = map_answers(opened.path)
    grades = scorer.card.grades
    counts = np.bincount(answers["grade"], minlength=len(grades))
    shares = {grade: float(count) / max(1, len(answers)) for grade, count in zip(grades, counts, strict=True)}
    data: dict[str, Any] = {"snapshot": seal.id, "model": name, "subjects": len(answers), "shares": shares}
    words = data if as_json else data | {"shares": output.shares(shares)}
    output.result(words, as_json=as_json, text=localized("cli.snapshot.made"))
