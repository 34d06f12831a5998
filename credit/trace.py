"""Trace: from a bank's score back to the release and the catalogue behind it, every signature and digest verified.

It needs no server: ledgers, shelf and public keys are enough, so anyone can check a copy of the three, anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from credit.destruction import destroyed
from credit.errors import Missing
from credit.ledger import Entry, Ledger
from credit.seal import Kind, Seal
from credit.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Link:
    """One thing in the chain: a seal or a score, with what the ledgers say was done to it and by whom."""

    id: str
    kind: str
    made_by: str
    made_at: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    acts: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """The whole way back, the score first, and how many entries each ledger was verified over."""

    links: tuple[Link, ...]
    ledgers: Mapping[str, int]

    @property
    def actors(self) -> tuple[str, ...]:
        """Everybody who had a hand in it."""
        hands = [link.made_by for link in self.links] + [str(act.by) for link in self.links for act in link.acts]
        return tuple(dict.fromkeys(hands))

    def as_json(self) -> dict[str, Any]:
        """The chain as plain values."""
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
    """The chain behind a score id or a seal id.

    Raises :class:`Broken` at the first thing that does not verify, :class:`Missing` when there is no such thing.
    """
    verified = {zone: list(ledger.verified()) for zone, ledger in ledgers.items()}
    entries = [entry for own in verified.values() for entry in own]
    if name.partition("-")[0] in set(Kind):
        start, first = [name], []
    else:
        answered = _answered(name, entries)
        first = [_score_link(answered, entries)]
        start = [answered.because["snapshot"]]
    links = [*first, *(_seal_link(seal, entries, shelf) for seal in _ancestors(start, shelf))]
    return Chain(tuple(links), {zone: len(own) for zone, own in verified.items()})


def _answered(score: str, entries: list[Entry]) -> Entry:
    for entry in entries:
        if entry.object == score and entry.verb in ("score.answered", "score.live"):
            return entry
    raise Missing("trace.no-ledger-here-score")


def _score_link(entry: Entry, entries: list[Entry]) -> Link:
    acts = tuple(each for each in entries if each.object == entry.object)
    return Link(entry.object, "score", str(entry.by), entry.at.isoformat(), entry.because, acts)


def _ancestors(start: list[str], shelf: Shelf) -> Iterator[Seal]:
    """Each seal once, children before parents, opened with every digest verified, but of those that were destroyed.

    What was kept of one stands before it.
    """
    waiting, seen = list(start), set()
    while waiting:
        name = waiting.pop(0)
        gone = destroyed(shelf, name)
        if gone and gone.excerpt and gone.excerpt not in seen:
            waiting[:0] = [gone.excerpt, name]
            continue
        seal = shelf.open(name, deep=gone is None).seal
        if seal.id not in seen:
            seen.add(seal.id)
            yield seal
            waiting.extend(seal.parents)


def _seal_link(seal: Seal, entries: list[Entry], shelf: Shelf) -> Link:
    acts = tuple(entry for entry in entries if entry.object == seal.id)
    shown = ("purpose", "as_of", "catalogue", "model", "invented", "subjects", "k")
    facts: dict[str, Any] = {key: seal.terms[key] for key in shown if key in seal.terms}
    facts |= {"files": len(seal.files), "expires_on": seal.expires_on.isoformat()}
    if (gone := destroyed(shelf, seal.id)) is not None:
        facts["destroyed_on"] = gone.on.isoformat()
    return Link(seal.id, seal.kind, str(seal.made_by), seal.made_at.isoformat(), facts, acts)
