"""The versions of a model as the platform judges them: figures, what is requested, and who may decide it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from credit.actor import Actor, Role
from credit.errors import CreditError
from credit.gate import Verdict
from credit.ledger import Entry
from credit.messages import Text
from credit.petition import Petition, State, fold_petition
from credit.seal import Kind, Seal
from credit.separation.involvement import PeopleHistory
from credit.separation.two_checkers import Approval, checkers_needed, counted
from credit.separation.version_judges import approvals_now, promotion_matter
from credit.shelf import OpenedSeal
from lab.airlock.review.petition import verdict_of
from lab.console.app_state import AppState
from lab.console.production.version_files import sealed_evidence

PEOPLE_VERBS = ("project.", "order.", "training.")  # the entries of research that say who had a part in what
FIGURES = ("auc", "auc_low", "auc_high", "ks", "rows", "positives", "stability_index")
CALIBRATION = ("ratio", "ece")


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version: its seal, figures of its evidence, and what the platform's ledger says about it.

    ``verdict`` is the last one of the gate, in the entry ``verdict_seq``; ``refusal`` is the reason of a person who
    refused it without the gate.
    ``fault`` is why the figures could not be read.
    """

    seal: Seal
    figures: Mapping[str, Any]
    entries: tuple[Entry, ...]
    petition: Petition | None
    verdict: Verdict | None
    refusal: str
    verdict_seq: int = 0
    fault: CreditError | None = None

    @property
    def waits(self) -> bool:
        """Whether its promotion is requested and not yet decided."""
        return self.petition is not None and self.petition.state is State.REQUESTED

    @property
    def note(self) -> str:
        """What the person who requested the promotion wrote for those who judge it; empty without a note."""
        requests = [each for each in self.entries if each.verb == "promotion.asked"]
        return str(requests[-1].details.get("note", "")) if requests else ""

    @property
    def needed(self) -> int:
        """How many people have to approve it before it is in production."""
        return checkers_needed(self.seal)

    @property
    def was_granted(self) -> bool:
        """Whether it was promoted once, so that one can roll back to it."""
        return self.petition is not None and self.petition.state is State.GRANTED


def versions_of(app_state: AppState, model: str) -> list[ModelVersion]:
    """The versions of a model that lie on the shelf, the newest first."""
    seals = sorted(version_seals(app_state, model), key=lambda each: each.made_at, reverse=True)
    return [read_version(app_state, seal) for seal in seals]


def version_seals(app_state: AppState, model: str = "") -> list[Seal]:
    """The seals of the versions on the shelf: of a model, or of all."""
    seals = app_state.shelf.list(Kind.VERSION)
    return [seal for seal in seals if not model or seal.terms.get("model") == model]


def people_of(app_state: AppState) -> PeopleHistory:
    """Who had a part in what, as the research ledger says now; one reading serves all versions of a page."""
    app_state.research.catch_up()
    return PeopleHistory.of(app_state.research.entries(*PEOPLE_VERBS), app_state.accounts)


def objection_to_judge(app_state: AppState, version: ModelVersion, people: PeopleHistory, name: str) -> Text | None:
    """Why a person may not decide about a version, or None. The platform judges it again when it carries it out."""
    opened = app_state.shelf.open(version.seal.id, deep=False)
    matter = promotion_matter(opened, version.entries, people, app_state.shelf)
    return people.vote_objection(matter, Actor(name, Role.PLATFORM), datetime.now(UTC), None)


def approvals_given(app_state: AppState, version: ModelVersion, people: PeopleHistory) -> tuple[Approval, ...]:
    """The approvals of a version that waits, also those that count no more; none of one that needs a single checker."""
    if not version.waits or version.needed == 1:
        return ()
    opened = app_state.shelf.open(version.seal.id, deep=False)
    return approvals_now(opened, entries=version.entries, people=people, shelf=app_state.shelf)


def has_approved(approvals: Iterable[Approval], name: str) -> bool:
    """Whether a person has given an approval that counts, so that another person decides."""
    return name in {each.by.name for each in counted(approvals)}


def read_version(app_state: AppState, seal: Seal) -> ModelVersion:
    """A version with its figures, and what the ledger says about it as far as it is indexed."""
    index = app_state.indexes.get("platform")
    entries = tuple(index.entries("promotion.", object=seal.id)) if index is not None else ()
    figures: dict[str, Any] = {}
    fault = None
    try:
        figures = _figures(app_state.shelf.open(seal.id, deep=False))
    except CreditError as error:
        fault = error
    decided = [each for each in entries if each.verb in ("promotion.granted", "promotion.refused")]
    measured = [each for each in entries if isinstance(each.details.get("verdict"), dict)]
    refusal = str(decided[-1].details.get("why", "")) if decided and decided[-1].verb == "promotion.refused" else ""
    return ModelVersion(
        seal=seal,
        figures=figures,
        entries=entries,
        petition=fold_petition(entries, "promotion", seal.id),
        verdict=verdict_of(measured[-1].details["verdict"]) if measured else None,
        verdict_seq=measured[-1].seq if measured else 0,
        refusal=refusal,
        fault=fault,
    )


def _figures(opened: OpenedSeal) -> dict[str, Any]:
    evidence = sealed_evidence(opened)
    calibration = evidence.get("calibration", {})
    return {name: evidence.get(name) for name in FIGURES} | {
        f"calibration_{name}": calibration.get(name) for name in CALIBRATION
    }
