"""With whose parcels and tables a parcel is compared (比对范围): those of its project, its author and the same people.

What two tables give away together is known to each person who has both. So a parcel is compared with those of its
project, with its author's in every project, and with those of projects that ever had a member in common with its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from credit.ledger import Entry
from credit.separation.project_history import ProjectHistory
from lab.airlock.review.petition import Petition


@dataclass(frozen=True, slots=True)
class ComparedPeople:
    """A project and an author, who has the names of parcels of ``own`` projects, and the projects ``related`` to it."""

    project: str
    author: str
    own: frozenset[str]
    related: frozenset[str]

    @classmethod
    def of(cls, entries: Iterable[Entry], project: str, author: str) -> ComparedPeople:
        """By the entries about projects; members count from their first day on, also after they left."""
        history = ProjectHistory.of(entries)
        ever = {name: frozenset().union(*(who for _, who in each)) for name, each in history.members.items()}
        people = ever.get(project, frozenset()) | ({author} if author else frozenset())
        own = frozenset(name for name, members in ever.items() if author in members) | {project}
        return cls(project, author, own, frozenset(name for name, members in ever.items() if members & people) | own)

    def parcels(self, petitions: Iterable[Petition]) -> list[Petition]:
        """The petitions with whose tables the parcel is compared, in their order."""
        return [each for each in petitions if each.project in self.related or each.author.name == self.author]

    def may_name(self, petition: Petition) -> bool:
        """True when the author may read the names of this petition's files: it is their own project's."""
        return petition.project in self.own
