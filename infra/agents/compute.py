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
from credit.errors import CreditError
from credit.releases import require_release
from credit.requests.agent import Agent
from credit.requests.settings import AgentSettings
from credit.requests.task import Handler, StepResult, Task
from credit.seal import Kind
from credit.shelf import OpenedSeal
from infra.agents.compute_zone import Compute
from infra.agents.deletion import delete_destroyed
from infra.agents.monitoring import monitor_champion

if TYPE_CHECKING:
    from models.distributed.ray_cluster import Tasks
    from models.registry.mlflow_registry import Registry
    from models.scoring.evaluation.declaration import Evaluation


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
        from models.evaluation.renewal import renew_evaluations
        from models.snapshots.renewal import renew

        replaced = dict(task.earlier[0].get("replaced", {}))
        done: dict[str, Any] = {"today": task.today, "progress": task.report, **self.shared(task)}
        made = renew(replaced=replaced, **done)
        made["snapshots"] |= renew_evaluations(replaced=replaced, **done)
        return StepResult(made)

    def evaluate(self, task: Task) -> StepResult:
        """Evaluate every subject for a month (公共信用综合评价), by the declarations of the city or those shipped."""
        from models.evaluation.monthly import require_period
        from models.evaluation.query import check_evaluation
        from models.evaluation.shipped import KINDS, evaluation_of

        period = str(task.arguments["period"])
        evaluations = {
            kind: evaluation_of(kind, self.settings.evaluations)
            for kind in map(str, task.arguments.get("kinds") or KINDS)
        }
        task.report("verifying the release", 0, 0)
        release = require_release(self.shelf, "scoring", str(task.arguments.get("release", "")))
        as_of = date.fromisoformat(release.seal.terms["as_of"])
        require_period(period, as_of)
        for evaluation in evaluations.values():
            check_evaluation(evaluation, release.seal.terms)  # the rights of all, before the work on any
        titles: dict[str, str] = {}
        models: dict[str, Any] = {}
        with self.tasks(task, here=bool(task.arguments.get("here"))) as tasks:
            for kind, evaluation in evaluations.items():
                models[kind] = self._evaluated(task, evaluation, release, period, tasks)
                titles |= {each.code: each.zh for each in evaluation.indicators}
                titles |= {each.code: each.zh for each in evaluation.measures}
        snapshots = {evaluations[kind].name: each["snapshot"] for kind, each in models.items()}
        made = {"period": period, "as_of": as_of.isoformat(), "snapshots": snapshots, "models": models}
        return StepResult(made, private={"titles": titles})

    def _evaluated(
        self, task: Task, evaluation: Evaluation, release: OpenedSeal, period: str, tasks: Tasks
    ) -> dict[str, Any]:
        from models.evaluation.build import make_evaluation
        from models.evaluation.monthly import PreviousMonth, month_writer, previous_month
        from models.scoring.snapshot_layout import MOVEMENTS_FILE

        before = previous_month(self.shelf, evaluation.name, period)
        # Of this declaration and release alone: what a killed run has done of it is reused, and nothing else ever is.
        mark = digest_json([evaluation.version, release.seal.id])[:16]
        work = self.agent.runs / "compute" / f"evaluation-{mark}"
        seal = make_evaluation(
            evaluation,
            release=release,
            as_of=date.fromisoformat(release.seal.terms["as_of"]),
            today=task.today,
            map_buckets=lambda fn, buckets: tasks.map_tasks(
                fn, buckets, progress=lambda done, total: task.report(f"{evaluation.name}: indicators", done, total)
            ),
            work=work,
            month=month_writer(evaluation, period, PreviousMonth.open(before) if before else None),
            **self.shared(task),
        )
        shutil.rmtree(work, ignore_errors=True)
        counted = json.loads((self.shelf.open(seal.id, deep=False).path / MOVEMENTS_FILE).read_bytes())
        return {"snapshot": seal.id, "version": evaluation.version, **counted}

    def monitor(self, task: Task) -> StepResult:
        """Make the report of a champion, and raise its alerts."""
        return monitor_champion(self, task)

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

    def measure(end: threading.Event) -> None:
        from infra.agents.measurements import measure_for_notebooks

        measure_for_notebooks(compute, end)

    if compute.settings.notebooks:
        agent.background += [train_notebooks, make_rows, make_tables, measure]
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
    made["monitor"] = Handler(compute.monitor, lambda _: frozenset({"answers"}))
    made["table"] = Handler(compute.table, lambda _: frozenset({"table"}))
    return made | {"train": Handler(compute.train, lambda _: frozenset({"cluster"}))}
