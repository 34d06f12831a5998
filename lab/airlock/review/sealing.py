"""Sealing (出域封签): an approved parcel becomes a signed folder that names its releases and has an expiry date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from credit.actor import Actor
from credit.canonical import digest
from credit.errors import Malformed, Refused
from credit.keys import SigningKey
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from lab.airlock.files.file_kinds import FileKind
from lab.airlock.gate import ParcelJudgement
from lab.airlock.kinds.models.model_name import version_of
from lab.airlock.parcel_context import ParcelContext
from lab.airlock.review.petition import Petition


def require_sources(context: ParcelContext, shelf: Shelf, today: date, *, project: str) -> ParcelContext:
    """The context with the complete ids of what it was made from, each of them valid.

    These are research releases, on which compute made evidence; rows and tables of the project; and practice tables.
    Raises :class:`Malformed` without any, :class:`Refused` for a seal of another kind, purpose or project, and what
    :meth:`Shelf.open` raises.
    """
    if not context.releases:
        raise Malformed("sealing.parcel-does-not-say-from")
    ids = []
    for name in context.releases:
        seal = shelf.open(name, today=today, deep=False).seal
        if not _is_source(seal, project):
            raise Refused("sealing.what-leaves-lab-made-from", seal_short=seal.short)
        ids.append(seal.id)
    return replace(context, releases=tuple(dict.fromkeys(ids)))


def _is_source(seal: Seal, project: str) -> bool:
    if seal.kind in (Kind.ROWS, Kind.TABLE):
        return seal.terms.get("project") == project
    return seal.kind in (Kind.RELEASE, Kind.PRACTICE) and seal.terms.get("purpose") == "research"


def parcel_terms(petition: Petition, *, invented: bool) -> dict[str, Any]:
    """What the seal of a parcel says: nothing but what the page of its petition shows to reviewers."""
    return {
        "petition": petition.id,
        "project": petition.project,
        "author": str(petition.author),
        "reviewers": sorted(str(vote.by) for vote in petition.votes),
        "context": petition.context.as_json(),
        "kinds": petition.leaving,
        "thresholds": petition.verdict.thresholds,
        "invented": invented,
    }


def is_invented(sources: Iterable[Seal]) -> bool:
    """True when one of the sources holds invented data."""
    return any(bool(each.terms.get("invented", False)) for each in sources)


def seal_parcel(
    petition: Petition,
    judgement: ParcelJudgement,
    *,
    shelf: Shelf,
    outbox: Shelf,
    key: SigningKey,
    by: Actor,
    today: date,
) -> Seal:
    """Seal the files that the gate wrote for an approved petition into the outbox and return the seal.

    ``judgement`` is that of the stored main forms: nothing is sealed but what was written from them just now. Raises
    :class:`Refused` when it would be written otherwise than when the reviewers saw it.
    The seal expires with the first of its parents, at the latest ``parcel_days`` after the approval. Sealing the same
    petition again, as after a crash, gives the same seal.
    """
    main_forms = {each.name: each for each in judgement.files.values()}
    same_names = petition.leaving.keys() == judgement.leaving.keys()
    if not same_names or {name: digest(each.outgoing) for name, each in main_forms.items()} != petition.digests:
        raise Refused("sealing.written-otherwise")
    named = [version_of(each.outgoing) for each in main_forms.values() if each.kind is FileKind.VERSION]
    parents = tuple(dict.fromkeys((*petition.context.releases, *named)))
    seals = [shelf.open(parent, today=today, deep=False).seal for parent in parents]
    days = timedelta(days=petition.verdict.thresholds["parcel_days"])
    ends = min([each.expires_on for each in seals] + [petition.changed_at.date() + days])
    terms = parcel_terms(petition, invented=is_invented(seals))
    with outbox.staging() as folder:
        for name, content in judgement.leaving.items():
            (folder / name).write_bytes(content)
        return outbox.put(folder, Kind.PARCEL, parents=parents, terms=terms, expires_on=ends, by=by, key=key)
