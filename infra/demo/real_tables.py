"""The demonstration on real tables: the public records of Beijing, and the invoices of CUMCM 2020.

There is no special code for them: a table is a catalogue file, a model a declaration. Their subjects have no code, so
intake gives each a surrogate code that is valid and marked. Their usage right is research alone
(研究使用，不得再发布), so a version is refused when it is registered: the run prints why and ends
there. The report has the measured figures.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from credit.errors import Missing, Refused
from credit.messages import Text
from infra import output, stack
from infra.demo.cli_runner import DemoRun, demo_run, started
from infra.demo.folder import HOME, claim
from infra.demo.invented_city import authorise, bring_in, finish, promote, score, train, zones_of
from infra.desk.city_marking import SAMPLE, mark_in_own_process
from infra.home import Home

REFUSED = Refused.exit_code


@dataclass(frozen=True, slots=True)
class Source:
    """One real source: its folder, catalogue, model, a table to take a subject from, and the day it was gathered."""

    folder: str
    catalogue: str
    model: str
    subjects: str
    day: date


SOURCES = (
    Source("beijing_public_credit", "beijing", "beijing_inspection", "inspections_culture_press", date(2026, 2, 1)),
    Source("cumcm2020c", "cumcm", "invoice_credit", "credit_outcome", date(2020, 4, 1)),
)


def run_real_tables(data: Path, out: Path) -> None:
    """Run every source that is in ``data``; a report for each.

    Raises :class:`Missing` when there is none, and :class:`~credit.errors.Refused` when ``out`` holds something else
    than an earlier demonstration.
    """
    sources = [source for source in SOURCES if (data / source.folder).is_dir()]
    if not sources:
        raise Missing("real-tables.no-real-tables-here", why=Text.verbatim(str(data)))
    catalogues = [source.catalogue for source in SOURCES]
    claim(out, catalogues, homes=[Home((out / name / HOME).resolve()) for name in catalogues])
    for source in sources:
        output.line(f"── {source.folder}")
        with demo_run(out / source.catalogue, invented=False) as run:
            run_source(run, data / source.folder, source)
            finish(run, out / source.catalogue)


def run_source(run: DemoRun, raw: Path, source: Source) -> None:
    """From raw tables to a scored subject, if the promotion gate accepts the version."""
    run.env |= {"HAIHE_TODAY": source.day.isoformat()}
    run.step("keys", "keys")
    mark_in_own_process(run.home, sorted(path for path in raw.rglob("*") if path.is_file()), SAMPLE)
    with zones_of(run) as mlflow:
        run_zones(run, raw, source, mlflow)


def run_zones(run: DemoRun, raw: Path, source: Source, mlflow: Callable[[], AbstractContextManager[str]]) -> None:
    """The steps that the zones carry out."""
    bring_in(run, raw, source.catalogue)
    with mlflow():
        train(run, (source.model,))
        passed = promote(run, source.model, accept=(REFUSED,))
    if not passed:
        output.line(f"[yellow]the gate stays shut for {output.safe(source.model)}[/yellow]: nothing is served from it")
        return
    words = ("subjects", source.subjects, "--catalogue", source.catalogue, "--limit", "2")
    codes = {f"subject {n}": code for n, code in enumerate(run.step("subjects", *words)["codes"], start=1)}
    env = {"HAIHE_SERVICE_TODAY": source.day.isoformat(), "HAIHE_SERVICE_MODELS": source.model}
    with started("the scoring service", stack.scoring_service(run.home, env=env)) as address:
        mandates = authorise(run, codes, source.day)
        for who, code in codes.items():
            answer = score(run, who, code, mandates[who], address)
            run.journey.scores.append({"title": f"{who} (a surrogate code)", "answer": answer})
    run.step("trace", "trace", run.journey.scores[0]["answer"]["score_id"])
    run.step("ledger verify", "ledger", "verify")
