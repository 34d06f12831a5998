"""A proof of inclusion verifies with the public keys alone, and nothing else does."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.errors import CreditError, Malformed, Missing
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.ledger.inclusion import included_entry, inclusion_proof

BOB = Actor("bob", Role.PLATFORM)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, keys: dict[str, SigningKey], ring: KeyRing) -> Ledger:
    """Three entries that are signed one by one, and a group of five whose texts look like signatures."""
    path: Path = tmp_path_factory.mktemp("ledger") / "platform.jsonl"
    ledger = Ledger(path, keys["platform"], ring, "platform")
    for number in range(3):
        ledger.append("promotion.granted", f"version-{number}", by=BOB, details={"model": "enterprise"})
    ledger.append_many([("a.b", f"thing-{number}", BOB, {"n": '"sig":"'}) for number in range(5)])
    return ledger


def test_every_entry_has_a_proof_that_verifies_without_the_ledger(written: Ledger) -> None:
    """Also the entries in the middle of a group, of which the last line alone is signed."""
    entries = list(written.entries())
    assert len(entries) == 8
    for entry in entries:
        proof = json.loads(json.dumps(inclusion_proof(written, entry.seq)))
        assert included_entry(proof, written.ring) == entry


def test_an_entry_that_is_not_there_has_no_proof(written: Ledger) -> None:
    for number in (0, -1, 9, 10**9):
        with pytest.raises(Missing):
            inclusion_proof(written, number)


@pytest.mark.attack
@given(data=st.data())
def test_a_proof_in_which_anything_is_changed_is_refused(data: st.DataObject, written: Ledger) -> None:
    """One character of any line, or a field; what still verifies says the same entry."""
    number = data.draw(st.integers(1, 8))
    proof, entry = inclusion_proof(written, number), written.entry_at(number)
    changed: dict[str, Any] = copy.deepcopy(proof)
    name = data.draw(st.sampled_from(sorted(changed)))
    if name == "lines":
        place = data.draw(st.integers(0, len(changed["lines"]) - 1))
        line = changed["lines"][place]
        at, letter = data.draw(st.integers(0, len(line) - 1)), data.draw(st.characters(codec="utf-8"))
        changed["lines"][place] = line[:at] + letter + line[at + 1 :]
    else:
        changed[name] = data.draw(st.one_of(st.integers(), st.floats(), st.text(), st.none(), st.lists(st.integers())))
    try:
        read = included_entry(changed, written.ring)
    except CreditError:
        return
    assert read == entry


@pytest.mark.parametrize("content", [{}, {"form": "x"}, {"zone": "", "seq": 1, "previous": "", "lines": []}])
def test_what_is_no_proof_is_refused_in_words(content: dict[str, Any], written: Ledger) -> None:
    with pytest.raises(Malformed):
        included_entry(content, written.ring)


@pytest.mark.attack
def test_another_zone_proves_nothing_of_the_platform(written: Ledger) -> None:
    with pytest.raises(CreditError):
        included_entry({**inclusion_proof(written, 1), "zone": "service"}, written.ring)
