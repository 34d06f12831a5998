"""Whatever entries a ledger has, a petition is only in states that the table of moves allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from credit.actor import Actor, Role
from credit.gate import Verdict
from credit.ledger import START, Entry
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review import blind_voting
from lab.airlock.review.petition import Petition, fold
from lab.airlock.review.states import TRANSITIONS, State
from tests.credit.separation.account_changes import AccountsSince

_VOTES = [blind_voting.cast_vote(True, "a"), blind_voting.cast_vote(False, "b")]
_SUBMITTED = {
    "project": "retail",
    "files": {},
    "context": ParcelContext("t", "p").as_json(),
    "verdict": Verdict("airlock", (), {}).as_json(),
}
_DETAILS = {
    "submitted": [_SUBMITTED],
    "voted": [{"commitment": blind_voting.commitment(vote), "nonce": "", "box": ""} for vote in _VOTES],
    "decided": [{"first": one, "second": other} for one in _VOTES for other in _VOTES],
    "questioned": [{"question": "why?"}],
    "answered": [{"answer": "so"}],
    "withdrawn": [{}],
    "received": [{"seal": "parcel-1"}],
    "stopped": [{}],
    "unheard": [{}],
}
_ACTORS = [Actor(name, role) for name in ("li", "zhao", "qian") for role in (Role.RESEARCHER, Role.REVIEWER)]
_ACTORS.append(Actor("ops", Role.PLATFORM))
_ACCOUNTS = AccountsSince({"li": Role.RESEARCHER, "zhao": Role.REVIEWER, "qian": Role.REVIEWER, "ops": Role.PLATFORM})
moves = st.sampled_from([(move, acts_by_actor) for move, many in _DETAILS.items() for acts_by_actor in many])
START_AT = datetime(2026, 11, 24, tzinfo=UTC)


def entries(acts_by_actor: list[tuple[tuple[str, dict[str, Any]], Actor]]) -> list[Entry]:
    return [
        Entry(n + 1, START_AT + timedelta(seconds=n), by, f"parcel.{move}", "petition-1", details, START, START)
        for n, ((move, details), by) in enumerate(acts_by_actor)
    ]


@given(st.lists(st.tuples(moves, st.sampled_from(_ACTORS)), max_size=40))
def test_no_sequence_of_entries_leaves_the_table_of_moves(
    acts_by_actor: list[tuple[tuple[str, dict[str, Any]], Actor]],
) -> None:
    line = entries([((("submitted"), _SUBMITTED), Actor("li", Role.RESEARCHER)), *acts_by_actor])
    before: Petition | None = None
    for length in range(1, len(line) + 1):
        now = fold(line[:length], _ACCOUNTS)["petition-1"]
        if before is None or now.state is not before.state:
            assert (before.state if before else None, now.state) in TRANSITIONS
        reviewers = {vote.by.name for vote in now.votes} | ({now.ballot.by.name} if now.ballot else set())
        assert "li" not in reviewers, "the author has reviewed"
        if now.state in (State.APPROVED, State.REFUSED, State.RECEIVED):
            assert len({vote.by.name for vote in now.votes}) == 2
            assert all(vote.approve for vote in now.votes) == (now.state is not State.REFUSED)
        else:
            assert len(now.votes) in ((0, 2) if now.state is State.WITHDRAWN else (0,))
        before = now
