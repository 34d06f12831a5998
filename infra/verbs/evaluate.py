"""The monthly evaluation: every subject by the champion, sealed, with what moved since last month, drawn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from typing import Annotated, Any

import typer

from credit.canonical import digest_json
from credit.errors import Missing
from credit.shelf import Opened
from infra import output
from infra.home import Home
from infra.progress import progress
from infra.verbs.options import AsJson, By, Today
from infra.verbs.seals import BOB, release_of
from models.distributed.ray_cluster import Tasks, cluster, in_process
from models.scoring.scorer import Scorer
from models.settings import ComputeSettings
from models.snapshots import migration_report
from models.snapshots.build import make_snapshot, point_snapshot
from models.snapshots.monthly_evaluation import MOVEMENTS, Last, evaluation, last_of, require_period

MODELS = ("enterprise", "individual_business")


def add_to(app: typer.Typer) -> None:
    """Put this verb on the command line."""
    app.command()(evaluate)


def evaluate(
    period: Annotated[str, typer.Option(help="The month, as 2026-11.")],
    model: Annotated[list[str] | None, typer.Option(help="A model; every one with a champion unless named.")] = None,
    release: Annotated[str, typer.Option(help="A scoring release; the newest unless named.")] = "",
    here: Annotated[bool, typer.Option("--here", help="Without a cluster, in this process.")] = False,
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate every subject for a month: grades, reasons, rules, and who rose or fell. Started again it goes on."""
    home = Home.here()
    source = release_of(home, "scoring", release)
    as_of = date.fromisoformat(source.seal.terms["as_of"])
    require_period(period, as_of)
    named = {name: home.shelf.pointer(f"champion-{name}", {"platform"}) for name in model or MODELS}
    champions = {name: pointer["version"] for name, pointer in named.items() if pointer}
    if missing := [name for name in model or () if name not in champions] or ([] if champions else list(MODELS)):
        raise Missing("evaluate.no-version-champion", missing=" or ".join(missing))
    titles: dict[str, str] = {}
    settings = home.settings(ComputeSettings, "compute")
    told: dict[str, Any] = {"period": period, "as_of": as_of.isoformat(), "models": {}}
    with (
        progress() as at,
        nullcontext(in_process()) if here else cluster(settings.ray_address, token=settings.ray_token) as tasks,
    ):
        for name, version in champions.items():
            opened = home.shelf.open(version)
            told["models"][name] = _one(home, name, opened, source, as_of, period, tasks, at, today, by)
            titles |= {feature.name: feature.title for feature in Scorer.load(opened.path).card.features}
    page = home.root / "reports" / f"evaluation-{period}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(migration_report.page(told, titles), encoding="utf-8")
    told["page"] = str(page)
    output.result(told, as_json=as_json, text=f"evaluated; the movements are drawn in {page}")


def _one(
    home: Home,
    name: str,
    version: Opened,
    source: Opened,
    as_of: date,
    period: str,
    tasks: Tasks,
    at: Callable[[str, int, int], None],
    today: date | None,
    by: Any,
) -> dict[str, Any]:
    before = last_of(home.shelf, name, period)
    scorer = Scorer.load(version.path)
    # Of this version, release and day alone: what a killed run has done of it is taken, and nothing else ever is.
    work = home.root / "runs" / f"evaluation-{digest_json([version.seal.id, source.seal.id, str(as_of)])[:16]}"
    seal = make_snapshot(
        version=version,
        release=source,
        scorer=scorer,
        shelf=home.shelf,
        key=home.key("compute"),
        by=by or BOB,
        as_of=as_of,
        today=today,
        ledger=home.ledger("compute", writing=True),
        limits=home.settings(ComputeSettings, "compute").limits,
        map_buckets=lambda fn, buckets: tasks.map_tasks(
            fn, buckets, progress=lambda done, total: at(f"{name}: answers", done, total)
        ),
        work=work,
        also=evaluation(scorer.card, period, Last.open(before, home.shelf) if before else None),
    )
    shutil.rmtree(work, ignore_errors=True)
    point_snapshot(home.shelf, seal, key=home.key("platform"))
    counted = json.loads((home.shelf.open(seal.id, deep=False).path / MOVEMENTS).read_bytes())
    return {"snapshot": seal.id, "version": version.seal.id, **counted}
