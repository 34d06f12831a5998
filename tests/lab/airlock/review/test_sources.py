"""What a parcel was made from is stated, and what was made from practice tables is marked as invented."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credit.actor import Actor, Role
from credit.errors import Refused
from credit.keys import SigningKey
from credit.seal import Kind, Seal
from lab.airlock.parcel_context import ParcelContext
from tests.lab.airlock.review_zone import AUTHOR, PROJECT, SAFE, TODAY, ReviewZone


@pytest.mark.attack
def test_a_parcel_names_its_own_projects_rows_or_invented_tables(zone: ReviewZone, keys: dict[str, SigningKey]) -> None:
    files = {"firms.csv": SAFE}

    def source(kind: Kind, signer: str, **terms: object) -> str:
        with zone.airlock.shelf.staging() as folder:
            (folder / "rows").write_text(str(terms))
            ends, by = TODAY + timedelta(days=90), Actor("compute", Role.SERVICE)
            return zone.airlock.shelf.put(
                folder, kind, parents=(), terms=terms, expires_on=ends, by=by, key=keys[signer]
            ).id

    def sealed(*names: str) -> Seal:
        context = ParcelContext("t", "p", zone.context(files).files, names)
        id = zone.airlock.submit(files, context, by=AUTHOR, project=PROJECT).id
        zone.approve(id)
        return zone.airlock.collect(id, by=AUTHOR)

    rows = source(Kind.ROWS, "compute", project=PROJECT, invented=False)
    practice = source(Kind.PRACTICE, "custody", purpose="research", invented=True)
    for wrong in (
        source(Kind.ROWS, "compute", project="another", invented=False),
        source(Kind.RELEASE, "custody", purpose="scoring", invented=False),
    ):
        with pytest.raises(Refused, match="rows of the project"):
            sealed(rows, wrong)
    first = sealed(rows)
    assert (first.parents, first.terms["invented"]) == ((rows,), False)
    second = sealed(rows, practice)
    assert (second.parents, second.terms["invented"]) == ((rows, practice), True)
