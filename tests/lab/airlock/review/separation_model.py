"""A slow and plain model of who may vote: after every event it looks at everyone, and forgets nothing.

The airlock decides lazily, from the entries of two ledgers, at each reading. The model decides at once, from sets that
it changes at each event. That both agree on every order of events is the claim that is tested.
"""

from __future__ import annotations

from dataclasses import dataclass, field

AUTHOR, COLLEAGUE, REVIEWERS = "li", "wang", ("zhao", "qian", "sun")
EVENTS = (
    "vote zhao",
    "vote qian",
    "vote sun",
    "join zhao",
    "leave zhao",
    "researcher zhao",
    "reviewer zhao",
    "platform zhao",
    "remove zhao",
    "leave li",
    "join li",
    "remove li",
    "researcher li",
    "close retail",
    "reopen retail",
    "collect li",
)


@dataclass
class PlainModel:
    """What is true now, and who had a part in the parcel at some moment since it was submitted."""

    members: set[str] = field(default_factory=lambda: {AUTHOR, COLLEAGUE})
    roles: dict[str, str] = field(
        default_factory=lambda: {AUTHOR: "researcher", COLLEAGUE: "researcher"} | dict.fromkeys(REVIEWERS, "reviewer")
    )
    closed: bool = False
    votes: list[str] = field(default_factory=list)
    received: bool = False
    author_ended: bool = False
    had_a_part: set[str] = field(default_factory=lambda: {AUTHOR, COLLEAGUE})

    def copy(self) -> PlainModel:
        return PlainModel(
            set(self.members), dict(self.roles), self.closed, list(self.votes), self.received, self.author_ended,
            set(self.had_a_part),
        )  # fmt: skip

    def apply(self, event: str) -> bool:
        """Apply an event; false when it is refused. Changes of members, accounts and projects always happen."""
        what, name = event.split()
        if what in ("vote", "collect"):
            allowed = self._may_vote(name) if what == "vote" else self._may_collect()
            if allowed and what == "vote":
                self.votes.append(name)
            self.received |= allowed and what == "collect"
            return allowed
        if what == "join":
            self.members.add(name)
        elif what == "leave":
            self.members.discard(name)
        elif what == "remove":
            self.roles.pop(name, None)
        elif what in ("close", "reopen"):
            self.closed = what == "close"
        else:
            self.roles[name] = what
        self._look()
        return True

    @property
    def state(self) -> str:
        if self.received:
            return "received"
        return ("submitted", "half_reviewed", "approved")[len(self.votes)]

    def _may_vote(self, name: str) -> bool:
        waits = not self.received and len(self.votes) < 2 and name not in self.votes
        return waits and name not in self.had_a_part and self.roles.get(name) == "reviewer"

    def _may_collect(self) -> bool:
        ready = len(self.votes) == 2 and not self.received
        return ready and not self.closed and AUTHOR in self.members and not self.author_ended

    def _look(self) -> None:
        self.had_a_part |= self.members
        self.had_a_part |= {name for name, role in self.roles.items() if role in ("researcher", "platform")}
        self.author_ended |= self.roles.get(AUTHOR) != "researcher"
        if not self.received and any(
            name in self.had_a_part or self.roles.get(name) != "reviewer" for name in self.votes
        ):
            # With one vote it is the only one; of two votes, the other is no longer secret.
            self.votes.clear()
