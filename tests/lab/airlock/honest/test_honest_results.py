"""What honest people carry out is not returned: it passes, or a finding says in words what reviewers look at."""

from __future__ import annotations

import pytest

from credit.gate import Outcome
from tests.lab.airlock.gate_runs import judge
from tests.lab.airlock.honest.results import honest_results

RESULTS = dict(honest_results())


@pytest.mark.parametrize("name", RESULTS)
def test_an_honest_result_is_not_returned(name: str) -> None:
    judgement = judge({name: RESULTS[name]}, subjects=13_550)
    returned = {each.check: each.reason("en") for each in judgement.verdict.findings if each.outcome is Outcome.FAIL}
    assert not returned
    assert judgement.leaving
