"""The same road on real tables: the public records of Beijing, and the invoices of CUMCM 2020.

No special path: a table is a catalogue file, a model a declaration. Their subjects have no code, so intake gives each a
surrogate one that is valid and marked. Where the gate does not open, the walk says why and ends there: that is what it
is for. Whether or not it opens, the honest figures are in the report.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from credit.errors import Missing
from infra import output, stack
from infra.demo.cli_runner import Walk, walking
from infra.demo.invented_city import authorise, bring_in, finish, promote, score, train

REFUSED = 3  # the exit code of a gate that did not open


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


def real(data: Path, out: Path) -> None:
    """Walk every source that is in ``data``; a report for each. Raises :class:`Missing` when none is."""
    found = [source for source in SOURCES if (data / source.folder).is_dir()]
    if not found:
        raise Missing("real-tables.no-real-tables-here", why=str(data))
    shutil.rmtree(out, ignore_errors=True)
    for source in found:
        output.console.rule(source.folder)
        with walking(out / source.catalogue, invented=False) as walk:
            road(walk, data / source.folder, source)
            finish(walk, out / source.catalogue)


def road(walk: Walk, raw: Path, source: Source) -> None:
    """From raw tables to, if the gate opens, a scored subject."""
    walk.env |= {"HAIHE_TODAY": source.day.isoformat()}
    walk.step("keys", "keys")
    bring_in(walk, raw, source.catalogue)
    with stack.mlflow_server(walk.home) as mlflow:
        walk.env["HAIHE_COMPUTE_MLFLOW_URI"] = mlflow
        train(walk, (source.model,))
        passed = promote(walk, source.model, bear=(REFUSED,))
    if not passed:
        output.console.print(f"[yellow]the gate stays shut for {source.model}[/yellow]: nothing is served from it")
        return
    words = ("subjects", source.subjects, "--catalogue", source.catalogue, "--limit", "2")
    codes = {f"subject {n}": code for n, code in enumerate(walk.step("subjects", *words)["codes"], start=1)}
    env = {"HAIHE_SERVICE_TODAY": source.day.isoformat(), "HAIHE_SERVICE_MODELS": source.model}
    with stack.scoring_service(walk.home, env=env) as address:
        mandates = authorise(walk, codes, source.day)
        for who, code in codes.items():
            answer = score(walk, who, code, mandates[who], address)
            walk.journey.scores.append({"title": f"{who} (a surrogate code)", "answer": answer})
    walk.step("trace", "trace", walk.journey.scores[0]["answer"]["score_id"])
    walk.step("ledger verify", "ledger", "verify")
