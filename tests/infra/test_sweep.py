"""After a sweep a record that was repaired is nowhere on the shelf, and all goes on: answers, repairs, traces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from credit.errors import Lapsed
from credit.trace import trace
from infra.haihe import command_line
from serving.endpoints.scores.replay import replay
from tests.infra.repair_home import PLATFORM, RepairHome
from tests.infra.repair_steps import RepairSteps
from tests.infra.test_repairs import firms, served

pytestmark = pytest.mark.servers  # of a whole home
LATER = date.today() + timedelta(days=40)


def sweep(place: RepairHome, *more: str) -> dict[str, Any]:
    words = ["sweep", "--json", "--today", LATER.isoformat(), "--by", str(PLATFORM), *more]
    ran = CliRunner(env={"HAIHE_HOME": str(place.home.root)}).invoke(command_line(), words)
    assert ran.exit_code == 0, ran.output
    return dict(json.loads(ran.stdout))


def repair(place: RepairHome, code: str) -> None:
    assert RepairSteps(place, "repair", [place.documents[code]]).carry_out()["pointed"]


def holding(place: RepairHome, document: str) -> Iterator[str]:
    """The files on the shelf that hold a document's number, also within what Parquet packs."""
    for path in (place.home.root / "shelf").rglob("*"):
        if path.is_file() and path.suffix == ".parquet":
            if any(document in column.to_pylist() for column in pq.read_table(path).itercolumns()):
                yield path.name
        elif path.is_file() and document.encode() in path.read_bytes():
            yield path.name


def test_what_was_repaired_leaves_the_shelf_and_all_goes_on(repair_home: RepairHome) -> None:
    place = repair_home
    home, shelf = place.home, place.home.shelf
    first, second = firms(place)[:2]
    with served(place) as service:
        answer = service.score(first).json()
    old = (place.pointed(), place.pointed("dossiers"))
    repair(place, first)
    assert list(holding(place, place.documents[first])), "it is there still, in what is in use no more"
    due = sweep(place, "--dry-run")
    assert {each["id"] for each in due["due"]} >= set(old)
    assert due["destroyed"] == []
    shelf.open(old[0])
    done = sweep(place)
    assert {each["id"] for each in done["destroyed"]} == {each["id"] for each in due["due"]}
    assert sum(each["bytes"] for each in done["destroyed"]) > 100_000
    assert list(holding(place, place.documents[first])) == []
    for name in old:
        with pytest.raises(Lapsed, match="was destroyed"):
            shelf.open(name)
    chain = trace(answer["score_id"], shelf=shelf, ledgers=home.ledgers())
    assert {"excerpt", "snapshot", "release", "version"} <= {link.kind for link in chain.links}
    assert replay(answer["score_id"], home.ledger("service"), shelf).digest == answer["receipt"]["digest"]
    repair(place, second)
    with served(place) as service:
        assert service.score(first).status_code == service.score(second).status_code == 200
    assert sweep(place)["destroyed"]
    assert sweep(place)["due"] == []
    assert replay(answer["score_id"], home.ledger("service"), shelf).digest == answer["receipt"]["digest"]
