"""A follower gives the entries of the ledger, and notices when entries that it has read were changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.ledger.follower import CachedLedger
from tests.credit.ledger.forging import add_lines

LI = Actor("li", Role.RESEARCHER)


@pytest.fixture
def ledger(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl", keys["research"], ring)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from(["parcel.a", "cell.b", "project.c"]), max_size=4), max_size=5))
def test_it_gives_the_entries_of_the_ledger(ledger: Ledger, rounds: list[list[str]]) -> None:
    ledger.path.unlink(missing_ok=True)
    ledger.path.with_suffix(".head.json").unlink(missing_ok=True)
    follower = CachedLedger.of(ledger, "parcel", "project")
    for verbs in rounds:
        if verbs:
            ledger.append_many([(verb, "x", LI, {}) for verb in verbs])
        assert list(follower.entries()) == [e for e in ledger.entries() if not e.verb.startswith("cell")]


def test_a_ledger_changed_where_it_reads_is_broken(ledger: Ledger, keys: dict[str, SigningKey]) -> None:
    follower = CachedLedger.of(ledger, "parcel")
    assert list(follower.entries()) == []
    for n in range(3):
        ledger.append("parcel.a", "x", by=LI, details={"n": n})
    assert len(list(follower.entries())) == 3
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole.replace(b'"n":2', b'"n":3'))
    with pytest.raises(Broken, match="line 3"):
        list(follower.entries())
    ledger.path.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    assert len(list(follower.entries())) == 2, "cut: read again from the start"
    ledger.path.write_bytes(whole)
    ledger.append("parcel.a", "x", by=LI)
    assert len(list(follower.entries())) == 4
    with ledger.path.open("ab") as stream:
        stream.write(b'{"at":')  # a writer at work, or killed: the next one removes it
    assert len(list(follower.entries())) == 4
    add_lines(ledger, keys["compute"], head=False)
    with pytest.raises(Broken, match="line 5"):
        list(follower.entries())
