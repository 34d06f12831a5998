"""Trace a score or a seal back to its release and catalogue, with every signature and digest verified.

No server is needed: anyone with a copy of the ledgers, the shelf and the public keys can check them anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from credit.destruction import destruction_record
from credit.errors import Missing
from credit.ledger import Entry, Ledger
from credit.seal import Kind, Seal
from credit.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain: a seal or a score, with its ledger entries."""

    id: str
    kind: str
    made_by: str
    made_at: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    acts: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """All links, the score first, and the number of verified entries of each ledger."""

    links: tuple[Link, ...]
    ledgers: Mapping[str, int]

    @property
    def actors(self) -> tuple[str, ...]:
        """Every actor named in the chain, each once."""
        names = [link.made_by for link in self.links] + [str(act.by) for link in self.links for act in link.acts]
        return tuple(dict.fromkeys(names))

    def as_json(self) -> dict[str, Any]:
        """The chain as JSON values."""
        links = [
            {
                "id": link.id,
                "kind": link.kind,
                "made_by": link.made_by,
                "made_at": link.made_at,
                "facts": dict(link.facts),
                "acts": [{"at": a.at.isoformat(), "by": str(a.by), "verb": a.verb, "entry": a.id} for a in link.acts],
            }
            for link in self.links
        ]
        return {"links": links, "actors": list(self.actors), "ledgers_verified": dict(self.ledgers)}


def trace(name: str, *, shelf: Shelf, ledgers: Mapping[str, Ledger]) -> Chain:
    """The chain of a score id or a seal id.

    Raises :class:`Broken` at the first entry, seal or file that does not verify, :class:`Missing` for an unknown id.
    """
    verified = {zone: list(ledger.verified()) for zone, ledger in ledgers.items()}
    entries = [entry for own in verified.values() for entry in own]
    if name.partition("-")[0] in set(Kind):
        start, first = [name], []
    else:
        answered = _answered(name, entries)
        first = [_score_link(answered, entries)]
        start = [answered.details["snapshot"]]
    links = [*first, *(_seal_link(seal, entries, shelf) for seal in _ancestors(start, shelf))]
    return Chain(tuple(links), {zone: len(own) for zone, own in verified.items()})


def _answered(score: str, entries: list[Entry]) -> Entry:
    for entry in entries:
        if entry.object == score and entry.verb in ("score.answered", "score.live"):
            return entry
    raise Missing("trace.no-such-score")


def _score_link(entry: Entry, entries: list[Entry]) -> Link:
    acts = tuple(each for each in entries if each.object == entry.object)
    return Link(entry.object, "score", str(entry.by), entry.at.isoformat(), entry.details, acts)


def _ancestors(start: list[str], shelf: Shelf) -> Iterator[Seal]:
    """Each seal once, children before parents, with every digest verified except those of destroyed seals.

    The excerpt of a destroyed seal comes before it.
    """
    waiting, seen = list(start), set()
    while waiting:
        name = waiting.pop(0)
        destroyed = destruction_record(shelf, name)
        if destroyed and destroyed.excerpt and destroyed.excerpt not in seen:
            waiting[:0] = [destroyed.excerpt, name]
            continue
        seal = shelf.open(name, deep=destroyed is None).seal
        if seal.id not in seen:
            seen.add(seal.id)
            yield seal
            waiting.extend(seal.parents)


def _seal_link(seal: Seal, entries: list[Entry], shelf: Shelf) -> Link:
    acts = tuple(entry for entry in entries if entry.object == seal.id)
    names = ("purpose", "as_of", "catalogue", "model", "invented", "subjects", "k")
    facts: dict[str, Any] = {key: seal.terms[key] for key in names if key in seal.terms}
    facts |= {"files": len(seal.files), "expires_on": seal.expires_on.isoformat()}
    if (destroyed := destruction_record(shelf, seal.id)) is not None:
        facts["destroyed_on"] = destroyed.on.isoformat()
    return Link(seal.id, seal.kind, str(seal.made_by), seal.made_at.isoformat(), facts, acts)
