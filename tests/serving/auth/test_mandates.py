"""Only the platform grants and revokes a mandate, each time with an entry; its subject is a pseudonym."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from serving_world import PLATFORM, TODAY, codes

from credit.actor import Actor
from credit.errors import Malformed, Missing, Refused
from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import revoke

CODE = codes("enterprise", 1)[0]


def test_a_granted_mandate_is_signed_recorded_and_names_no_code(world: Any) -> None:
    mandate = world.grant("bohai", CODE)
    (entry,) = world.ledger.about(mandate.id)
    assert (entry.verb, entry.by) == ("mandate.granted", PLATFORM)
    assert entry.details["subject"] == world.pseudonyms.hex_of(CODE)
    access = AccessDatabase(world.root / "access.db")
    stored = str(access.rows("SELECT envelope FROM mandate WHERE id = ?", mandate.id))
    revoke(access, mandate.id, by=PLATFORM, ledger=world.ledger, why="asked by the subject")
    access.close()
    assert CODE not in stored + str(entry)
    assert [entry.verb for entry in world.ledger.about(mandate.id)] == ["mandate.granted", "mandate.revoked"]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"bank": "nobody"}, Missing),
        ({"purpose": "curiosity"}, Malformed),
        ({"document": "not a digest"}, Malformed),
        ({"valid_until": TODAY - timedelta(days=30)}, Malformed),
    ],
)
def test_what_cannot_be_a_mandate_is_not_granted(world: Any, more: dict[str, Any], error: type[Exception]) -> None:
    before = world.ledger.verify()
    with pytest.raises(error):
        world.grant(**({"bank": "bohai", "code": CODE} | more))
    assert world.ledger.verify() == before


def test_a_bank_grants_itself_nothing_and_revokes_nothing(world: Any) -> None:
    access, bank = AccessDatabase(world.root / "access.db"), Actor.parse("bank:bohai")
    with pytest.raises(Refused):
        revoke(access, world.grant("bohai", CODE).id, by=bank, ledger=world.ledger)
    with pytest.raises(Missing):
        revoke(access, "mandate-" + "0" * 32, by=PLATFORM, ledger=world.ledger)
    access.close()
