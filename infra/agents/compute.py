"""The steps of compute: training, snapshots, credit files, evaluations, and what is made again after a repair.

A step imports what it needs when it is first carried out: an agent that makes a snapshot does not wait for MLflow's.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from credit.canonical import digest_json
from credit.errors import CreditError, Missing
from credit.releases import require_release
from credit.requests.agent import Agent
from credit.requests.settings import AgentSettings
from credit.requests.task import Handler, StepResult, Task
from credit.seal import Kind
from credit.shelf import OpenedSeal
from infra.agents.compute_zone import Compute
from infra.agents.deletion import delete_destroyed

if TYPE_CHECKING:
    from models.distributed.ray_cluster import Tasks
    from models.registry.mlflow_registry import Registry
    from models.scoring.scorer import Scorer

MODELS = ("enterprise", "individual_business")


class ComputeSteps(Compute):
    """The steps of compute by name."""

    def train(self, task: Task) -> StepResult:
        """Train the orders that research has placed, one after another on one cluster."""
        from models.registry.mlflow_registry import Registry
        from models.registry.version import read_evidence
        from models.training.pipeline import answered_orders, train

        made = {}
        wait_for_mlflow(registry := Registry(self.settings.mlflow_uri), task)
        with self.tasks(task) as tasks:
            for model, order in dict(task.earlier[0]["orders"]).items():

                def step(label: str, done: int, total: int, model: str = model) -> None:
                    task.report(f"{model}: {label}", done, total)

                seal = train(
                    self.shelf.open(order, deep=False),
                    tracking=registry,
                    tasks=tasks,
                    today=task.today,
                    progress=step,
                    answered=answered_orders(self.settings, self.ledger),
                    **self.shared(task),
                )
                evidence = read_evidence(self.shelf.open(seal.id, deep=False).path)
                made[model] = {"order": order, "version": seal.id, "evidence": evidence}
        return StepResult({"models": made})

    def rows(self, task: Task) -> StepResult:
        """Make the rows that research has placed an order for."""
        from infra.agents.rows import made_rows

        return StepResult(made_rows(self, task))

    def table(self, task: Task) -> StepResult:
        """Make the table that research has placed an order for."""
        from infra.agents.tables import made_table

        return StepResult(made_table(self, task))

    def attack(self, task: Task) -> StepResult:
        """Attack rows that were released, as their gate did."""
        from infra.agents.rows import attack_figures

        with self.tasks(task, here=True) as tasks:
            return StepResult(attack_figures(self, tasks, task))

    def snapshot(self, task: Task) -> StepResult:
        """Score every subject with the champion of a model."""
        from models.scoring.scorer import Scorer
        from models.snapshots.build import grade_shares, make_snapshot

        model = str(task.arguments["model"])
        task.report("verifying version and release", 0, 0)
        version = self.champion(model)
        scorer = Scorer.load(version.path)
        seal = make_snapshot(
            version=version,
            release=require_release(self.shelf, "scoring", str(task.arguments.get("release", ""))),
            scorer=scorer,
            as_of=task.today,
            progress=task.report,
            **self.shared(task),
        )
        counted = grade_shares(self.shelf.open(seal.id, deep=False).path, scorer.card)
        return StepResult({"snapshots": {model: seal.id}, **counted})

    def dossiers(self, task: Task) -> StepResult:
        """Make the credit files of every subject."""
        from models.snapshots.credit_files import make_dossiers

        task.report("verifying the release", 0, 0)
        release = require_release(self.shelf, "inquiry", str(task.arguments.get("release", "")))
        seal = make_dossiers(release=release, today=task.today, progress=task.report, **self.shared(task))
        made = {"dossiers": seal.id, "subjects": seal.terms["subjects"], "as_of": seal.terms["as_of"]}
        return StepResult(made)

    def renewal(self, task: Task) -> StepResult:
        """After a repair: make again what rests on a release that custody has amended."""
        from models.snapshots.renewal import renew

        replaced = dict(task.earlier[0].get("replaced", {}))
        made = renew(replaced=replaced, today=task.today, progress=task.report, **self.shared(task))
        return StepResult(made)

    def evaluate(self, task: Task) -> StepResult:
        """Evaluate every subject for a month, by each model that has a champion."""
        from models.scoring.scorer import Scorer
        from models.snapshots.monthly_evaluation import require_period

        period = str(task.arguments["period"])
        task.report("verifying the release", 0, 0)
        release = require_release(self.shelf, "scoring", str(task.arguments.get("release", "")))
        as_of = date.fromisoformat(release.seal.terms["as_of"])
        require_period(period, as_of)
        wanted = [str(each) for each in task.arguments.get("models") or ()]
        versions = self._evaluated_versions(wanted)
        titles: dict[str, str] = {}
        models: dict[str, Any] = {}
        with self.tasks(task, here=bool(task.arguments.get("here"))) as tasks:
            for name, version in versions.items():
                scorer = Scorer.load(version.path)
                models[name] = self._evaluated(task, name, version, scorer, release, period, tasks)
                titles |= {feature.name: feature.title for feature in scorer.card.features}
        snapshots = {name: each["snapshot"] for name, each in models.items()}
        made = {"period": period, "as_of": as_of.isoformat(), "snapshots": snapshots, "models": models}
        return StepResult(made, private={"titles": titles})

    def _evaluated_versions(self, wanted: list[str]) -> dict[str, OpenedSeal]:
        pointers = {name: self.shelf.pointer(f"champion-{name}", {"platform"}) for name in wanted or MODELS}
        missing = [name for name in wanted if pointers[name] is None]
        if missing or not any(pointers.values()):
            raise Missing("evaluate.no-version-champion", missing=" or ".join(missing or MODELS))
        return {name: self.champion(name) for name, pointer in pointers.items() if pointer}

    def _evaluated(
        self,
        task: Task,
        name: str,
        version: OpenedSeal,
        scorer: Scorer,
        release: OpenedSeal,
        period: str,
        tasks: Tasks,
    ) -> dict[str, Any]:
        from models.scoring.snapshot_layout import MOVEMENTS_FILE
        from models.snapshots.build import make_snapshot
        from models.snapshots.monthly_evaluation import PreviousEvaluation, evaluation_writer, previous_snapshot

        as_of = date.fromisoformat(release.seal.terms["as_of"])
        before = previous_snapshot(self.shelf, name, period)
        # Of this version, release and day alone: what a killed run has done of it is reused, and nothing else ever is.
        mark = digest_json([version.seal.id, release.seal.id, str(as_of)])[:16]
        work = self.agent.runs / "compute" / f"evaluation-{mark}"
        earlier = PreviousEvaluation.open(before, self.shelf) if before else None
        seal = make_snapshot(
            version=version,
            release=release,
            scorer=scorer,
            as_of=as_of,
            today=task.today,
            map_buckets=lambda fn, buckets: tasks.map_tasks(
                fn, buckets, progress=lambda done, total: task.report(f"{name}: answers", done, total)
            ),
            work=work,
            extra_files=evaluation_writer(scorer.card, period, earlier),
            **self.shared(task),
        )
        shutil.rmtree(work, ignore_errors=True)
        counted = json.loads((self.shelf.open(seal.id, deep=False).path / MOVEMENTS_FILE).read_bytes())
        return {"snapshot": seal.id, "version": version.seal.id, **counted}

    def sweep(self, task: Task) -> StepResult:
        """Delete the files of the snapshots and rows whose destruction the platform has recorded."""
        return StepResult({"freed": delete_destroyed(self.shelf, task, {Kind.SNAPSHOT, Kind.ROWS})})


def wait_for_mlflow(registry: Registry, task: Task) -> None:
    """Wait until runs can be logged: while MLflow does not answer, a training waits and does not fail."""
    while True:
        try:
            return registry.require()
        except CreditError:
            task.report("waiting for MLflow", 0, 0)  # ends the wait when the request is cancelled or too old
            time.sleep(1)


def open_agent(settings: AgentSettings, env: Mapping[str, str]) -> Agent:
    """The agent of compute, which trains the orders of the notebooks beside its requests."""
    agent = Agent.open("compute", settings, handlers(compute := ComputeSteps.open(settings, env)))

    def train_notebooks(end: threading.Event) -> None:
        from models.worker.worker_loop import Worker, serve_with_shared_cluster

        worker = Worker.open(compute.settings)
        worker.end = end
        try:
            serve_with_shared_cluster(worker, compute.cluster)
        finally:
            compute.cluster.close()

    def make_rows(end: threading.Event) -> None:
        from infra.agents.rows import make_rows_of_notebooks

        make_rows_of_notebooks(compute, end)

    def make_tables(end: threading.Event) -> None:
        from infra.agents.tables import make_tables_of_notebooks

        make_tables_of_notebooks(compute, end)

    if compute.settings.notebooks:
        agent.background += [train_notebooks, make_rows, make_tables]
    agent.duties.append(compute.cluster.close_idle)
    return agent


def handlers(compute: ComputeSteps) -> dict[str, Handler]:
    """Compute's steps by verb. A training runs beside the rest; what the service answers from is made in turn."""
    answers = {
        "snapshot": compute.snapshot,
        "dossiers": compute.dossiers,
        **dict.fromkeys(("repair", "withdraw"), compute.renewal),
        "evaluate": compute.evaluate,
        "sweep": compute.sweep,
    }
    rows = {"rows": compute.rows, "attack": compute.attack}
    made = {verb: Handler(step, lambda _: frozenset({"answers"})) for verb, step in answers.items()}
    made |= {verb: Handler(step, lambda _: frozenset({"rows"})) for verb, step in rows.items()}
    made["table"] = Handler(compute.table, lambda _: frozenset({"table"}))
    return made | {"train": Handler(compute.train, lambda _: frozenset({"cluster"}))}
