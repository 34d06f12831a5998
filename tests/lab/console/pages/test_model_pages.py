"""A page says what differs between two versions, and one says what the gate found, in words beside pictures."""

from __future__ import annotations

import re

import pytest

from tests.lab.console.made_versions import MadeVersions, platform_ledger
from tests.lab.console.pages.test_models import page
from tests.lab.console.servers import Servers

pytestmark = pytest.mark.servers
AT = "models/enterprise/differences"


def pair(new: str, old: str) -> str:
    return f"{AT}?new={new}&old={old}"


def test_the_page_shows_features_the_paired_difference_and_who_moves(servers: Servers, versions: MadeVersions) -> None:
    """As compute measured it on the same rows; the way back has the opposite signs and directions."""
    text = page(servers, "wang", pair(versions.waiting, versions.champion))
    assert "ranks better: its AUC is +0.0123" in text
    assert "Of 5,330 rows, 620 get a better grade, 4,310 keep theirs and 400 get a worse one" in text
    assert re.search(r"<th scope=.row.>AA</th><td class=.n better.>340</td>", text)
    assert "another direction" in text
    back = page(servers, "li", pair(versions.champion, versions.waiting))
    assert (
        "ranks worse: its AUC is -0.0123 against the other's, and with 95 % confidence between -0.0207 and -0.0041"
        in back
    )
    assert "Of 5,330 rows, 400 get a better grade, 4,310 keep theirs and 620 get a worse one" in back
    assert re.search(r"<th scope=.row.>AAA</th><td class=.n same.>1,500</td><td class=.n worse.>340</td>", back)


def test_an_interval_on_both_sides_of_zero_decides_for_neither(servers: Servers, versions: MadeVersions) -> None:
    """From the verdict of the gate, which is newer than the training."""
    text = page(servers, "wang", pair(versions.refused, versions.champion))
    assert "it is open which of the two ranks better" in text
    assert f"ledger/platform/{versions.verdict}" in text


def test_a_pair_that_was_never_measured_has_no_figures(servers: Servers, versions: MadeVersions) -> None:
    """And what is no pair of versions of this model is no page."""
    text = page(servers, "wang", pair(versions.waiting, versions.refused))
    assert "Compute has never measured these two" in text
    assert "better grade" not in text
    client = servers.login("wang", factor="totp")
    for query in (pair("version-" + "0" * 64, versions.champion), "models/nothing/differences"):
        assert client.get(servers.console + query).status_code == 404


def test_a_verdict_is_a_page_with_the_limits_of_its_day(servers: Servers, versions: MadeVersions) -> None:
    """What failed comes first; the lower end of the AUC is what is judged, and the page says so."""
    seq = versions.verdict
    text = page(servers, "sun", f"models/enterprise/verdicts/{seq}")
    checks = re.findall(r'id="check-([a-z_]+)"', text)
    assert checks[:2] == ["calibration", "parity"]
    assert "lower end at least 0.6" in text
    assert "from 0.5 to 2" in text
    assert text.count('<figure class="scale">') == 10
    assert f"models/enterprise/verdicts/{seq}" in page(servers, "wang")
    client = servers.login("wang", factor="totp")
    first = next(iter(platform_ledger(servers.zone).about(versions.refused))).seq  # a request has no verdict
    for path in (f"other/verdicts/{seq}", f"enterprise/verdicts/{first}", "enterprise/verdicts/0"):
        assert client.get(f"{servers.console}models/{path}").status_code == 404
