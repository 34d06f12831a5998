"""Whatever a machine finds when a parcel is submitted, it says before, when the notebook checks the same parcel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from credit.errors import CreditError
from credit.gate import Outcome
from credit.keys import SigningKey
from tests.lab.airlock.kinds.models.sealed_versions import features, named, put, version_files
from tests.lab.airlock.review_zone import AUTHOR, PROJECT, SAFE, SMALL, ReviewZone

EARLIER = b"industry,n\nretail,1213\nfood,847\n"


@pytest.mark.parametrize("case", ["nothing", "small cell", "difference", "model of others", "bare model", "too many"])
def test_the_check_has_the_findings_of_the_submission(zone: ReviewZone, keys: dict[str, SigningKey], case: str) -> None:
    zone.submit({"earlier.csv": EARLIER}, subjects=2060)
    sealed = version_files(*features())
    _, version = put(zone.airlock.shelf, keys, sealed)
    files = {
        "nothing": {"notes.md": b"The new version ranks better."},
        "small cell": {"firms.csv": SMALL},
        "difference": {"firms.csv": EARLIER.replace(b"847", b"846")},
        "model of others": {"model.json": named(version)},
        "bare model": {"model.txt": sealed["model.txt"]},
        "too many": {f"{n}.csv": SAFE for n in range(41)},
    }[case]
    context = zone.context(files)
    before = zone.airlock.check(files, project=PROJECT, context=context)
    assert (before.outcome is Outcome.FAIL) == (case != "nothing")
    if before.outcome is not Outcome.FAIL:
        id = zone.airlock.submit(files, context, by=AUTHOR, project=PROJECT).id
        assert zone.airlock.get(id).verdict.as_json() == before.as_json()
        return
    with pytest.raises(CreditError) as refused:
        zone.airlock.submit(files, context, by=AUTHOR, project=PROJECT)
    failed = {each.check for each in before.findings if each.outcome is Outcome.FAIL}
    assert {each.check for each in refused.value.findings} == failed


@pytest.mark.parametrize("sources", [(), ("release-" + "0" * 64,), ("nothing",)])
def test_sources_that_a_submission_refuses_are_refused_before(zone: ReviewZone, sources: tuple[str, ...]) -> None:
    context = replace(zone.context({"firms.csv": SAFE}), releases=sources)
    reasons = []
    for attempt in (zone.airlock.check, lambda *a, **k: zone.airlock.submit(*a, by=AUTHOR, **k)):
        with pytest.raises(CreditError) as refused:
            attempt({"firms.csv": SAFE}, context=context, project=PROJECT)
        reasons.append(str(refused.value))
    assert reasons[0] == reasons[1]
