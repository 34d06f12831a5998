"""How many ordinary results a machine returns to their author: the price of what the airlock asks of honest people."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.airlock.honest_notebooks import NOTEBOOKS
from bench.airlock.honest_pictures import PICTURES
from bench.airlock.honest_tables import TABLES
from bench.record import record
from credit.gate import Finding, Outcome
from credit.keys import KeyRing, SigningKey
from credit.shelf import Shelf
from lab.airlock.copies.shelf_models import ShelfModels
from lab.airlock.gate import judge_parcel
from lab.airlock.kinds.models.model_copy import ModelShelf
from lab.airlock.parcel_context import FileDescription, ParcelContext
from tests.lab.airlock.honest.results import honest_results
from tests.lab.airlock.kinds.models.sealed_versions import TODAY, features, named, put, version_files

TEXTS = Path(__file__).with_name("honest_texts")


def ordinary_results() -> Iterator[tuple[str, bytes]]:
    """The name and content of each ordinary result; numbers are invented, from one seed."""
    random = np.random.default_rng(20261201)
    for made in (TABLES, PICTURES, NOTEBOOKS):
        for name, make in made.items():
            yield name, make(random)
    for path in sorted(TEXTS.iterdir()):
        yield path.name.removesuffix(".py.txt") + ".py" * path.name.endswith(".py.txt"), path.read_bytes()


def trained_model(folder: Path) -> tuple[bytes, ShelfModels]:
    """The file that names a run of the project, and the shelf on which its version is."""
    keys = {zone: SigningKey.create(folder, zone) for zone in ("research", "compute", "platform")}
    shelf = Shelf(folder / "shelf", KeyRing.of(*keys.values()))
    order, _ = put(shelf, keys, version_files(*features()))
    return named(order), ShelfModels(shelf, TODAY, frozenset({order}))


def returning_findings(name: str, content: bytes, models: ModelShelf | None = None) -> list[Finding]:
    """The findings that return a result to its author."""
    about = {name: FileDescription("a result", population="all firms", counted="count(*)", subjects=13_550)}
    context = ParcelContext("A result", "A paper", about, ("release-1",))
    judgement = judge_parcel({name: content}, context=context, models=models)
    return [each for each in judgement.verdict.findings if each.outcome is Outcome.FAIL]


def honest_parcels_returned() -> None:
    """The share of ordinary results, with those that were once refused to newcomers, that a finding returns."""
    with tempfile.TemporaryDirectory() as folder:
        model, shelf = trained_model(Path(folder))
        results = [*ordinary_results(), *honest_results(), ("model.json", model)]
        by_name = {f"{n} {name}": returning_findings(name, content, shelf) for n, (name, content) in enumerate(results)}
    returned = {name: sorted({each.check for each in findings}) for name, findings in by_name.items() if findings}
    more = {"results": len(results), "returned": returned}
    record(
        "honest_parcels_returned", len(returned) / len(results), "share", goal=0.05, data="ordinary results", more=more
    )
