"""What MLflow shows as the champion is what the platform signed: an alias that was moved by hand is set back.

The alias decides nothing, but people read it. The platform's agent compares it with the signed pointers. A difference
that it sees twice in a row, so not one of a promotion that is just being carried out, is undone, and an entry of the
ledger names both versions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from credit.actor import Actor, Role
from credit.champion_history import RESTORED
from credit.errors import CreditError
from credit.ledger import Ledger
from credit.requests.agent import log_event
from credit.shelf import Shelf
from credit.versions import CHAMPION, champion_of
from infra.agents.entry_queue import why_of
from infra.processes import probe

if TYPE_CHECKING:
    from models.registry.mlflow_registry import Registry

WATCH = Actor("platform-agent", Role.SERVICE)
PAUSE = 15.0  # seconds between two looks: an alias is set back within two of them


@dataclass(slots=True)
class AliasWatch:
    """Compares MLflow's aliases with the pointers on the shelf. ``registry`` opens MLflow, which may be away."""

    shelf: Shelf
    ledger: Ledger
    registry: Callable[[], Registry]
    uri: str
    pause: float = PAUSE
    _seen: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __call__(self, end: threading.Event) -> None:
        """Look until ``end`` is set; without MLflow nothing is compared."""
        opened: Registry | None = None
        while not end.wait(self.pause):
            if not probe(f"{self.uri}/health"):
                continue
            try:
                opened = opened or self.registry()  # imports MLflow: not before it answers
                self.look(opened)
            except Exception as error:  # a thread that ended would leave the aliases unwatched
                log_event("aliases not compared", zone=WATCH.name, why=why_of(error))

    def look(self, registry: Registry) -> list[str]:
        """Compare once; the models whose alias was set back. Raises what MLflow raises."""
        differing, restored = self._differing(registry), []
        for model, (alias, champion) in differing.items():
            if self._seen.get(model) != (alias, champion):
                continue  # seen for the first time: a promotion sets the pointer first and then the alias
            if champion:
                registry.set_champion(model, champion)
            else:
                registry.remove_champion(model)
            details = {"model": model, "alias": alias, "champion": champion}
            self.ledger.append(RESTORED, champion or alias or model, by=WATCH, details=details)
            restored.append(model)
        self._seen = {model: each for model, each in differing.items() if model not in restored}
        return restored

    def _differing(self, registry: Registry) -> dict[str, tuple[str, str]]:
        """Model -> the versions that the alias and the pointer name, where they are not the same."""
        aliases = registry.champions()
        models = {*aliases, *(name.removeprefix(CHAMPION) for name in self.shelf.pointer_names(CHAMPION))}
        differing = {}
        for model in sorted(models):
            try:
                alias, champion = aliases.get(model, ""), champion_of(self.shelf, model)
            except CreditError as error:  # a pointer that does not verify sets nothing; others are compared
                log_event("aliases not compared", zone=WATCH.name, model=model, why=why_of(error))
                continue
            if alias == champion and (champion or model not in aliases):
                continue
            if champion and registry.version_number(model, champion) is None:
                continue  # it was made with another server, and has no version here
            differing[model] = (alias, champion)
        return differing
