"""What is in production of one model: the champion, since when and by whom, what the service answers from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from credit.champion_history import RESTORED, ChampionChange, changes_of
from credit.errors import CreditError
from credit.ledger import Entry
from credit.petition import State, fold_petition
from credit.seal import Kind
from credit.versions import POINTS, champion_of
from lab.console.app_state import AppState

PROMOTIONS = "promotion."
RECENT = timedelta(days=14)  # for so long an alarm stays on the page


@dataclass(frozen=True, slots=True)
class ModelState:
    """The state of a model. ``snapshot`` are the terms of the snapshot that the service answers from, with its ``id``.

    ``agrees`` is False where the platform's pointer names another version than the ledger's last promotion: one of
    them was then changed by hand. ``alias_moved`` is the entry of an alias in MLflow that was set back lately.
    ``fault`` is why a pointer cannot be read.
    """

    model: str
    champion: str
    changes: tuple[ChampionChange, ...]
    waiting: tuple[str, ...]
    snapshot: Mapping[str, Any]
    alias_moved: Entry | None = None
    fault: CreditError | None = None

    @property
    def change(self) -> ChampionChange | None:
        """The change that made the champion what it is; None where there is none, or none in the ledger."""
        last = self.changes[-1] if self.changes else None
        return last if last is not None and last.version == self.champion else None

    @property
    def agrees(self) -> bool:
        """Whether the pointer and the ledger name the same version."""
        return (self.changes[-1].version if self.changes else "") == self.champion

    @property
    def answers_from_champion(self) -> bool:
        """Whether the snapshot in use was made by the champion."""
        return not self.snapshot or self.snapshot.get("version") == self.champion


def model_names(app_state: AppState, entries: Sequence[Entry]) -> list[str]:
    """Every model of which a version lies on the shelf or was ever promoted, by the entries of :func:`promotions`."""
    named = {str(seal.terms.get("model", "")) for seal in app_state.shelf.list(Kind.VERSION)}
    named |= {str(each.details.get("model", "")) for each in entries}
    return sorted(named - {""})


def promotions(app_state: AppState) -> list[Entry]:
    """The entries of the platform's ledger about promotions; none where that ledger is not readable here."""
    index = app_state.indexes.get("platform")
    if index is None:
        return []
    index.catch_up()
    return list(index.entries(PROMOTIONS))


def model_state(app_state: AppState, model: str, entries: Sequence[Entry]) -> ModelState:
    """The state of a model now, by the entries of :func:`promotions`."""
    shelf = app_state.shelf
    champion, snapshot, fault = "", {}, None
    try:
        champion = champion_of(shelf, model)
        if pointer := shelf.pointer(f"snapshot-{model}", POINTS):
            seal = shelf.open(str(pointer["snapshot"]), deep=False).seal
            snapshot = {**seal.terms, "id": seal.id, "made_at": seal.made_at}
    except CreditError as error:
        fault = error
    changes, waiting = tuple(changes_of(entries, model)), waiting_versions(entries, model)
    return ModelState(model, champion, changes, waiting, snapshot, _alias_moved(app_state, model), fault)


def _alias_moved(app_state: AppState, model: str) -> Entry | None:
    """The newest entry of an alias of this model that the platform's agent set back, unless it is long ago."""
    index = app_state.indexes.get("platform")
    moved = [each for each in index.entries(RESTORED) if each.details.get("model") == model] if index else []
    return moved[-1] if moved and moved[-1].at > datetime.now(UTC) - RECENT else None


def waiting_versions(entries: Sequence[Entry], model: str = "") -> tuple[str, ...]:
    """The ids of the versions, of a model or of all, whose promotion is requested and not decided."""
    versions = dict.fromkeys(each.object for each in entries if not model or each.details.get("model") == model)
    petitions = ((each, fold_petition(entries, "promotion", each)) for each in versions)
    return tuple(each for each, petition in petitions if petition and petition.state is State.REQUESTED)
