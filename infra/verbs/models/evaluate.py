"""The monthly evaluation (按月评价): every subject by the champion, sealed, with who rose or fell, drawn."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credit.actor import Actor, Role
from credit.errors import Missing
from infra import output
from infra.home import Home
from infra.progress import ReportProgress, progress
from infra.verbs.actors import BOB, acting
from infra.verbs.options import AsJson, By, Today

if TYPE_CHECKING:
    from credit.shelf import OpenedSeal
    from models.distributed.ray_cluster import Tasks

MODELS = ("enterprise", "individual_business")


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(evaluate)


def evaluate(
    period: Annotated[str, typer.Option(help="The month, as 2026-11.")],
    model: Annotated[list[str] | None, typer.Option(help="A model; by default every one with a champion.")] = None,
    release: Annotated[str, typer.Option(help="A scoring release; the newest by default.")] = "",
    here: Annotated[bool, typer.Option("--here", help="Without a cluster, in this process.")] = False,
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate every subject for a month: grades, and who rose or fell.

    A command that was stopped on the way continues when it is run again.
    """
    actor = acting(by, BOB, Role.PLATFORM, Role.SERVICE, act="act.evaluate-subjects")

    from infra.verbs.seals import release_of
    from models.distributed.ray_cluster import cluster, in_process
    from models.scoring.scorer import Scorer
    from models.settings import ComputeSettings
    from models.snapshots import migration_report
    from models.snapshots.monthly_evaluation import require_period

    home = Home.here()
    settings = home.settings(ComputeSettings, "compute")
    with progress() as report:
        report("verifying the release", 0, 0)
        source = release_of(home, "scoring", release)
        as_of = date.fromisoformat(source.seal.terms["as_of"])
        require_period(period, as_of)
        champions = _champions(home, model)
        titles: dict[str, str] = {}
        data: dict[str, Any] = {"period": period, "as_of": as_of.isoformat(), "models": {}}
        if not here:
            report("connecting to Ray" if settings.ray_address else "starting Ray", 0, 0)
        with nullcontext(in_process()) if here else cluster(settings.ray_address, token=settings.ray_token) as tasks:
            for name, version in champions.items():
                report(f"{name}: verifying the version", 0, 0)
                opened = home.shelf.open(version)
                data["models"][name] = _evaluated(
                    home, name, opened, source, period, tasks=tasks, report=report, today=today, by=actor
                )
                titles |= {feature.name: feature.title for feature in Scorer.load(opened.path).card.features}
    page = home.root / "reports" / f"evaluation-{period}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(migration_report.report_page(data, titles), encoding="utf-8")
    data["page"] = str(page)
    if as_json:
        output.document(data)
    else:
        summarise(data)


def summarise(data: dict[str, Any]) -> None:
    """Print an evaluation in a few lines a model: how many, their grades, how many moved, and what was made."""
    output.message("cli.evaluate.head", period=data["period"], as_of=data["as_of"])
    for name, model in data["models"].items():
        output.message("cli.evaluate.model", model=name, subjects=model["subjects"])
        output.message("cli.evaluate.grades", shares=output.shares(model["grades"]))
        if model["last"]:
            output.message("cli.evaluate.before", shares=output.shares(model["last_grades"]))
            output.message("cli.evaluate.moved", **model["moved"])
        else:
            output.message("cli.evaluate.first")
        output.message("cli.evaluate.snapshot", snapshot=model["snapshot"])
        output.message("cli.evaluate.version", version=model["version"])
    output.message("cli.evaluate.page", page=data["page"])


def _champions(home: Home, wanted: list[str] | None) -> dict[str, str]:
    """The champion's version id of each wanted model. Raises :class:`Missing` for one without a champion."""
    named = {name: home.shelf.pointer(f"champion-{name}", {"platform"}) for name in wanted or MODELS}
    champions = {name: str(pointer["version"]) for name, pointer in named.items() if pointer}
    if missing := [name for name in wanted or () if name not in champions] or ([] if champions else list(MODELS)):
        raise Missing("evaluate.no-version-champion", missing=" or ".join(missing))
    return champions


def _evaluated(
    home: Home,
    name: str,
    version: OpenedSeal,
    source: OpenedSeal,
    period: str,
    *,
    tasks: Tasks,
    report: ReportProgress,
    today: date | None,
    by: Actor,
) -> dict[str, Any]:
    from credit.canonical import digest_json
    from models.scoring.scorer import Scorer
    from models.scoring.snapshot_layout import MOVEMENTS_FILE
    from models.settings import ComputeSettings
    from models.snapshots.build import make_snapshot, point_snapshot
    from models.snapshots.monthly_evaluation import PreviousEvaluation, evaluation_writer, previous_snapshot

    as_of = date.fromisoformat(source.seal.terms["as_of"])
    before = previous_snapshot(home.shelf, name, period)
    scorer = Scorer.load(version.path)
    # Of this version, release and day alone: what a killed run has done of it is reused, and nothing else ever is.
    work = home.root / "runs" / f"evaluation-{digest_json([version.seal.id, source.seal.id, str(as_of)])[:16]}"
    seal = make_snapshot(
        version=version,
        release=source,
        scorer=scorer,
        shelf=home.shelf,
        key=home.key("compute"),
        by=by,
        as_of=as_of,
        today=today,
        ledger=home.ledger("compute", writing=True),
        limits=home.settings(ComputeSettings, "compute").limits,
        map_buckets=lambda fn, buckets: tasks.map_tasks(
            fn, buckets, progress=lambda done, total: report(f"{name}: answers", done, total)
        ),
        work=work,
        extra_files=evaluation_writer(
            scorer.card, period, PreviousEvaluation.open(before, home.shelf) if before else None
        ),
    )
    shutil.rmtree(work, ignore_errors=True)
    point_snapshot(home.shelf, seal, key=home.key("platform"))
    counted = json.loads((home.shelf.open(seal.id, deep=False).path / MOVEMENTS_FILE).read_bytes())
    return {"snapshot": seal.id, "version": version.seal.id, **counted}
